"""Which checkpoints can be served, known from configuration and headers without loading a weight and without torch."""

from darkroom.catalog.loras import Loras, UnavailableLora
from darkroom.catalog.registry import Catalog, Unavailable, embedded_model_folder, open_catalog
from darkroom.catalog.schedulers import SCHEDULER_TITLES, SCHEDULERS

__all__ = [
    "SCHEDULERS",
    "SCHEDULER_TITLES",
    "Catalog",
    "Loras",
    "Unavailable",
    "UnavailableLora",
    "embedded_model_folder",
    "open_catalog",
]
