"""The models of this worker, put together from its settings and catalog."""

from dataclasses import replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import torch

from darkroom.catalog import Catalog
from darkroom.catalog.safetensors_header import UnsoundHeader, read_header
from darkroom.catalog.single_file import original_networks
from darkroom.contract.controlnet import ControlnetSpec, NamedControlnet
from darkroom.contract.model import ModelSpec
from darkroom.contract.vae import NamedVae, VaeSpec
from darkroom.errors import BrokenWeights, MissingWeights, UnknownControlnet, UnknownVae
from darkroom.log import get_logger
from darkroom.settings import Settings
from worker.models.autoencoder import load_autoencoder
from worker.models.cache import Loaded, ModelCache, Wanted
from worker.models.controlnet import load_controlnet
from worker.models.embeddings import open_shelf
from worker.models.loader import load_checkpoint
from worker.models.palette import Palette, fit_palette
from worker.models.placement import placement
from worker.models.watch import CacheWatch

log = get_logger(__name__)


def open_models(settings: Settings, catalog: Catalog, watch: CacheWatch | None = None) -> ModelCache:
    """A cache that loads models, VAEs and ControlNets of `catalog` onto the settings' device. Nothing is loaded yet.

    Raises: ConfigurationError for a device this machine lacks.
    """
    place = placement(settings)
    if place.device.type == "cpu" and settings.threads:
        torch.set_num_threads(settings.threads)

    shelf = open_shelf(catalog)

    def load(wanted: Wanted) -> Loaded:
        if isinstance(wanted, NamedVae):
            vae = load_autoencoder(_planned(wanted, catalog), place.device, place.dtype)
            return replace(vae, palette=palette(vae.network, wanted.name))
        if isinstance(wanted, NamedControlnet):
            return load_controlnet(_planned_net(wanted, catalog), place.device, place.dtype)
        model = load_checkpoint(catalog.spec(wanted), place.device, place.dtype, shelf, place.kernels)
        return replace(model, palette=palette(model.vae, wanted))

    def palette(vae: Any, name: str) -> Palette | None:
        """Before anybody has the VAE: none of its users waits for this, nor finds it in another precision."""
        return _palette(vae, name) if settings.previews else None

    @cache
    def measure(wanted: Wanted) -> int:
        if isinstance(wanted, NamedVae | NamedControlnet):
            spec = _planned(wanted, catalog) if isinstance(wanted, NamedVae) else _planned_net(wanted, catalog)
            return place.dtype.itemsize * _numbers(Path(spec.path), spec.weights)
        return weight_bytes(catalog.spec(wanted), place.dtype)

    return ModelCache(load, measure, place.budget_bytes, watch)


def _palette(vae: Any, name: str) -> Palette | None:
    """None where there can be none: then there are no previews, and all else is as ever."""
    try:
        return fit_palette(vae)
    except Exception as error:  # noqa: BLE001  what ails the device will show where it matters
        log.warning("palette.unfit", vae=name, error=type(error).__name__)
        return None


def weight_bytes(spec: ModelSpec, dtype: torch.dtype) -> int:
    """Bytes that the weights of `spec` will take in `dtype`, from the headers of their files.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    if spec.layout == "single_file":
        sources = [source for network in original_networks(spec).values() for source in network.values()]
        return dtype.itemsize * sum(prod(source.shape) for source in sources)
    return dtype.itemsize * sum(_numbers(Path(spec.path), file) for file in spec.weights)


def _planned(wanted: NamedVae, catalog: Catalog) -> VaeSpec:
    """Raises: MissingWeights, BrokenWeights where this worker has none of that name, or another one."""
    try:
        spec = catalog.vaes.spec(wanted.name, "vae")
    except UnknownVae as error:
        raise MissingWeights(wanted.name, "this worker has no VAE of that name") from error
    if spec.sha256 != wanted.sha256:
        raise BrokenWeights(wanted.name, "the VAE has changed since this generation was planned")
    return spec


def _planned_net(wanted: NamedControlnet, catalog: Catalog) -> ControlnetSpec:
    """Raises: MissingWeights, BrokenWeights where this worker has none of that name, or another one."""
    try:
        spec = catalog.controlnets.spec(wanted.name, "controlnets")
    except UnknownControlnet as error:
        raise MissingWeights(wanted.name, "this worker has no ControlNet of that name") from error
    if spec.sha256 != wanted.sha256:
        raise BrokenWeights(wanted.name, "the ControlNet has changed since this generation was planned")
    return spec


def _numbers(folder: Path, file: str) -> int:
    try:
        return sum(prod(tensor.shape) for tensor in read_header(folder / file).values())
    except FileNotFoundError as error:
        raise MissingWeights(file, "no such file") from error
    except UnsoundHeader as error:
        raise BrokenWeights(file, str(error)) from error
    except OSError as error:
        raise BrokenWeights(file, f"cannot be read ({type(error).__name__})") from error
