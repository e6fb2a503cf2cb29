"""Which checkpoints can be served, known from configuration and headers without loading a weight and without torch."""

from darkroom.catalog.controlnets import Controlnets
from darkroom.catalog.loras import Loras
from darkroom.catalog.registry import Catalog, embedded_model_folder, open_catalog
from darkroom.catalog.schedulers import SCHEDULER_TITLES, SCHEDULERS
from darkroom.catalog.unavailable import Unavailable
from darkroom.catalog.vaes import Vaes

__all__ = [
    "SCHEDULERS",
    "SCHEDULER_TITLES",
    "Catalog",
    "Controlnets",
    "Loras",
    "Unavailable",
    "Vaes",
    "embedded_model_folder",
    "open_catalog",
]
