"""The models of this worker, put together from its settings and catalog."""

from functools import cache
from math import prod
from pathlib import Path

import torch

from darkroom.catalog import Catalog
from darkroom.catalog.safetensors_header import UnsoundHeader, read_header
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights
from darkroom.settings import Settings
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.embeddings import open_shelf
from worker.models.loader import load_checkpoint
from worker.models.placement import placement


def open_models(settings: Settings, catalog: Catalog) -> ModelCache:
    """A cache that loads models of `catalog` onto the device the settings name. Nothing is loaded yet.

    Raises: ConfigurationError for a device this machine lacks.
    """
    place = placement(settings)
    if place.device.type == "cpu" and settings.threads:
        torch.set_num_threads(settings.threads)

    shelf = open_shelf(catalog)

    def load(name: str) -> Checkpoint:
        return load_checkpoint(catalog.spec(name), place.device, place.dtype, shelf)

    @cache
    def measure(name: str) -> int:
        return weight_bytes(catalog.spec(name), place.dtype)

    return ModelCache(load, measure, place.budget_bytes)


def weight_bytes(spec: ModelSpec, dtype: torch.dtype) -> int:
    """Bytes that the weights of `spec` will take in `dtype`, from the headers of their files.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    return dtype.itemsize * sum(_numbers(Path(spec.path), file) for file in spec.weights)


def _numbers(folder: Path, file: str) -> int:
    try:
        return sum(prod(tensor.shape) for tensor in read_header(folder / file).values())
    except FileNotFoundError as error:
        raise MissingWeights(file, "no such file") from error
    except UnsoundHeader as error:
        raise BrokenWeights(file, str(error)) from error
    except OSError as error:
        raise BrokenWeights(file, f"cannot be read ({type(error).__name__})") from error
