"""The ControlNets a request may use, and which models each of them fits."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from darkroom.catalog.configs import ControlnetConfig, read_config
from darkroom.catalog.control_fit import control_misfit, layers_of, unet_layers
from darkroom.catalog.hub import located
from darkroom.catalog.listed import Requestable
from darkroom.catalog.lora_fit import base_shapes
from darkroom.catalog.safetensors_header import read_header
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.catalog.weights import weight_digests
from darkroom.contract.control import ControlType
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights, UnknownControlnet

Shape = tuple[int, ...]


class Place(NamedTuple):
    """The maps a ControlNet was trained on, and its folder in diffusers' layout."""

    type: ControlType
    folder: Path


class Controlnets(Requestable[ControlnetSpec]):
    """ControlNets by name."""

    kind, unknown = "ControlNet", UnknownControlnet

    def of_type(self, kind: ControlType) -> tuple[ControlnetSpec, ...]:
        """Those made for maps of this type, by name."""
        return tuple(spec for spec in self.specs() if spec.type == kind)


def read_controlnets(
    places: Mapping[str, Place], models: Iterable[ModelSpec], sha256: Callable[[Path], str]
) -> Controlnets:
    """The ControlNets at these places, each held against every model."""
    specs: list[ControlnetSpec] = []
    unavailable: list[Unavailable] = []
    known = tuple(models)
    for name, place in places.items():
        with set_aside(name, place.folder, unavailable):
            specs.append(read_controlnet(name, place, known, sha256))
    return Controlnets(specs, unavailable)


def read_controlnet(
    name: str, place: Place, models: Iterable[ModelSpec], sha256: Callable[[Path], str]
) -> ControlnetSpec:
    """Describe the ControlNet in a folder in diffusers' layout and say which of `models` it fits.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    folder = located(place.folder)
    if not folder.is_dir():
        raise MissingWeights(folder.name, "no such folder")
    # The folder stands where a component of a checkpoint does, so that errors name it, too.
    around, component = folder.parent, folder.name
    config = read_config(around, f"{component}/config.json", ControlnetConfig)
    digests = weight_digests(around, (component,), sha256)
    if len(digests) != 1:
        raise BrokenWeights(component, "is in several files; a ControlNet is read from one")
    ((weights, digest),) = digests.items()
    layers = layers_of({key: tuple(tensor.shape) for key, tensor in read_header(around / weights).items()})
    reasons = {model.name: _misfit(config, layers, model) for model in models}
    return ControlnetSpec(
        name=name,
        type=place.type,
        path=str(folder),
        weights=weights.removeprefix(f"{component}/"),
        sha256=digest,
        bytes=(around / weights).stat().st_size,
        models=tuple(sorted(model for model, reason in reasons.items() if reason is None)),
        misfits={model: reason for model, reason in reasons.items() if reason is not None},
    )


def _misfit(config: ControlnetConfig, layers: Mapping[str, Shape], model: ModelSpec) -> str | None:
    if config.scale_factor != model.vae_scale_factor:
        return f"its maps have {config.scale_factor} pixels a latent, the model has {model.vae_scale_factor}"
    channels = layers.get("conv_in", (0, 0))[1]
    if channels != model.latent_channels:
        return f"its latents have {channels} channels, those of the model {model.latent_channels}"
    return control_misfit(layers, unet_layers(base_shapes(model)))
