"""The VAEs a request may name, and which models each of them fits."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from darkroom.catalog.configs import VaeConfig, read_config
from darkroom.catalog.hub import located
from darkroom.catalog.listed import Requestable
from darkroom.catalog.single_file import check_suffix, checked, is_single_file
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.catalog.vae_file import SCALING, read_vae_file
from darkroom.catalog.weights import file_digest, weight_digests
from darkroom.contract.model import ModelSpec
from darkroom.contract.vae import LatentSpace, VaeLayout, VaeSpec
from darkroom.errors import BrokenWeights, MissingWeights, UnknownVae

# Of two scaling factors: within rounding, they are one. Those of SD 1 and XL, 0.18215 and 0.13025, are far apart.
SAME_SCALING = 0.01


class Vaes(Requestable[VaeSpec]):
    """VAEs by name."""

    kind, unknown = "VAE", UnknownVae


class Found(NamedTuple):
    """What a VAE's files say of it. `weights` lies in `folder`."""

    layout: VaeLayout
    folder: Path
    weights: str
    sha256: str
    channels: int
    pixels: int
    scaling: float


def read_vaes(places: Mapping[str, Path], models: Iterable[ModelSpec], sha256: Callable[[Path], str]) -> Vaes:
    """The VAEs at these places, name -> folder or file, each held against every model."""
    specs: list[VaeSpec] = []
    unavailable: list[Unavailable] = []
    latents = {model.name: model.latents for model in models}
    for name, place in places.items():
        with set_aside(name, place, unavailable):
            specs.append(read_vae(name, located(place), latents, sha256))
    return Vaes(specs, unavailable)


def read_vae(name: str, place: Path, models: Mapping[str, LatentSpace], sha256: Callable[[Path], str]) -> VaeSpec:
    """Describe the VAE at `place` and say which of `models`, name -> latents, it fits.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    found = _in_file(place, sha256) if is_single_file(place) else read_vae_folder(place, sha256)
    reasons = {model: vae_misfit(found, latents) for model, latents in models.items()}
    return VaeSpec(
        name=name,
        path=str(found.folder),
        layout=found.layout,
        weights=found.weights,
        sha256=found.sha256,
        bytes=(found.folder / found.weights).stat().st_size,
        channels=found.channels,
        pixels=found.pixels,
        scaling=found.scaling,
        models=tuple(sorted(model for model, reason in reasons.items() if reason is None)),
        misfits={model: reason for model, reason in reasons.items() if reason is not None},
    )


def read_vae_folder(folder: Path, sha256: Callable[[Path], str]) -> Found:
    """A folder in diffusers' layout: `config.json` beside the weights. Raises: MissingWeights, BrokenWeights."""
    if not folder.is_dir():
        raise MissingWeights(folder.name, "no such folder")
    # The folder stands where a component of a checkpoint does, so that errors name it, too.
    around, component = folder.parent, folder.name
    config = read_config(around, f"{component}/config.json", VaeConfig)
    digests = weight_digests(around, (component,), sha256)
    if len(digests) != 1:
        raise BrokenWeights(component, "is in several files; a VAE is read from one")
    ((weights, digest),) = digests.items()
    return Found(
        layout="diffusers",
        folder=folder,
        weights=weights.removeprefix(f"{component}/"),
        sha256=digest,
        channels=config.latent_channels,
        pixels=config.scale_factor,
        scaling=config.scaling_factor,
    )


def _in_file(file: Path, sha256: Callable[[Path], str]) -> Found:
    check_suffix(file)
    config = read_vae_file(file).config
    # What a sidecar laid over it is anybody's. The scaling factor, unlike the rest, may be unknown.
    latents = checked(file, "vae", {**config, SCALING: config[SCALING] or 1.0}, VaeConfig)
    return Found(
        layout="single_file",
        folder=file.parent,
        weights=file.name,
        sha256=file_digest(file.parent, file.name, sha256),
        channels=latents.latent_channels,
        pixels=latents.scale_factor,
        scaling=float(config[SCALING]),
    )


def vae_misfit(found: Found, latents: LatentSpace) -> str | None:
    """Why a VAE cannot take the place of one with these `latents`; None when it can.

    Networks learn latents that were scaled for them, so another scaling factor tells of another space of latents.
    """
    if found.channels != latents.channels:
        return f"its latents have {found.channels} channels, those of the model {latents.channels}"
    if found.pixels != latents.pixels:
        return f"its latents stand for {found.pixels} pixels a side, those of the model for {latents.pixels}"
    if found.scaling and abs(found.scaling - latents.scaling) > SAME_SCALING * latents.scaling:
        return f"its latents are scaled by {found.scaling:g}, those of the model by {latents.scaling:g}"
    return None
