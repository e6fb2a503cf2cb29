"""The models of this worker, put together from its settings and catalog."""

from math import prod
from pathlib import Path

import torch

from darkroom.catalog import Catalog
from darkroom.catalog.safetensors_header import read_header
from darkroom.contract.model import ModelSpec
from darkroom.settings import Settings
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_checkpoint
from worker.models.placement import placement


def open_models(settings: Settings, catalog: Catalog) -> ModelCache:
    """A cache that loads models of `catalog` onto the device the settings name. Nothing is loaded yet.

    Raises: ConfigurationError for a device this machine lacks.
    """
    place = placement(settings)
    if place.device.type == "cpu" and settings.threads:
        torch.set_num_threads(settings.threads)

    def load(name: str) -> Checkpoint:
        return load_checkpoint(catalog.spec(name), place.device, place.dtype)

    def measure(name: str) -> int:
        return weight_bytes(catalog.spec(name), place.dtype)

    return ModelCache(load, measure, place.budget_bytes)


def weight_bytes(spec: ModelSpec, dtype: torch.dtype) -> int:
    """Bytes that the weights of `spec` will take in `dtype`, from the headers of their files."""
    headers = (read_header(Path(spec.path) / file) for file in spec.weights)
    return dtype.itemsize * sum(prod(tensor.shape) for header in headers for tensor in header.values())
