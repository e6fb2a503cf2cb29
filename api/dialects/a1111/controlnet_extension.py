"""What the ControlNet extension tells of itself, and what it is asked to detect in pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.dialects.a1111.modules import CONTROL_TYPES, NONE, Module, module_of, offered
from api.dialects.a1111.titles import controlnet_title
from api.dialects.remarks import Remarks
from darkroom.catalog import Catalog
from darkroom.catalog.preprocessors import Preprocessors
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.contract.generation import MAX_PICTURE_CHARS, MOST_IMAGES
from darkroom.contract.preprocess import DEFAULT_RESOLUTION, PreprocessAsked
from darkroom.errors import InvalidField

VERSION = 3
NO_MODEL = "None"
MODULE = "controlnet_module"
RESOLUTION = "controlnet_processor_res"
# The extension's name, and webuiapi's.
IMAGES = ("controlnet_input_images", "controlnet_images")
_RESOLUTIONS = PreprocessAsked.model_json_schema()["properties"]["detect_resolution"]
LEAST_RESOLUTION, MOST_RESOLUTION = _RESOLUTIONS["minimum"], _RESOLUTIONS["maximum"]
# By which clients say nothing: the extension's own default, webuiapi's, and what the page has for canny.
_NEUTRAL_THRESHOLDS: Mapping[str, tuple[Any, ...]] = {
    "controlnet_threshold_a": (-1, 64, 100),
    "controlnet_threshold_b": (-1, 64, 200),
    "controlnet_masks": (),
}
_NO_THRESHOLDS = "has no effect here: maps are made of the whole picture, with thresholds of their own"


@dataclass(frozen=True)
class Detection:
    """`field` is where in the request the images stand."""

    module: Module
    images: tuple[str, ...]
    field: str
    resolution: int


def models(catalog: Catalog) -> dict[str, list[str]]:
    return {"model_list": [controlnet_title(spec) for spec in catalog.controlnets.specs()]}


def modules(known: Preprocessors, *, labels: bool) -> dict[str, Any]:
    """`labels`: name them as people see them."""
    listed = {_name(module, labels): module for module in offered(known)}
    return {"module_list": list(listed), "module_detail": {name: _detail(each) for name, each in listed.items()}}


def control_types(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """One for each type of map that is made here, or that there is a ControlNet for; before them all together."""
    nets, known = catalog.controlnets.specs(), list(offered(catalog.preprocessors))
    told = {"All": _control_type(known, nets, NONE)}
    for tab, kind in CONTROL_TYPES.items():
        made = [module for module in known if module.type == kind]
        fitting = [spec for spec in nets if spec.type == kind]
        if made or fitting:
            told[tab] = _control_type([NONE, *made], fitting, next(iter(made), NONE))
    return {"control_types": told}


def _control_type(made: Sequence[Module], nets: Sequence[ControlnetSpec], first: Module) -> dict[str, Any]:
    titles = [NO_MODEL, *map(controlnet_title, nets)]
    return {
        "module_list": [each.name for each in made],
        "model_list": titles,
        "default_option": first.name,
        "default_model": titles[0] if first is NONE else titles[min(1, len(nets))],
    }


def _name(module: Module, labels: bool) -> str:
    return module.label if labels else module.name


def _detail(module: Module) -> dict[str, Any]:
    resolution = {
        "name": "Preprocessor Resolution",
        "value": DEFAULT_RESOLUTION,
        "min": LEAST_RESOLUTION,
        "max": MOST_RESOLUTION,
        "step": 8,
    }
    return {"model_free": False, "sliders": [] if module is NONE else [resolution]}


def detection(body: Mapping[str, Any], known: Preprocessors, remarks: Remarks) -> Detection:
    """What `POST /controlnet/detect` asks for. Raises: InvalidField."""
    said = body.get(MODULE) or NONE.name
    if not isinstance(said, str):
        raise InvalidField(MODULE, "must be the name of a module")
    module = module_of(said, MODULE)
    if remark := module.remark(known):
        remarks.note(MODULE, remark)
    remarks.ignore(body, _NEUTRAL_THRESHOLDS, _NO_THRESHOLDS)
    field = next((name for name in IMAGES if body.get(name)), IMAGES[0])
    return Detection(module, _images(body.get(field), field), field, _resolution(body.get(RESOLUTION)))


def _images(said: Any, field: str) -> tuple[str, ...]:
    if not said:
        raise InvalidField(field, "No image selected")
    if not isinstance(said, list) or len(said) > MOST_IMAGES:
        raise InvalidField(field, f"must be a list of at most {MOST_IMAGES} pictures")
    if not all(isinstance(image, str) and 0 < len(image) <= MAX_PICTURE_CHARS for image in said):
        raise InvalidField(field, "must hold pictures in base64")
    return tuple(said)


def _resolution(said: Any) -> int:
    """The extension takes -1 for what it has by itself."""
    if said in (None, -1):
        return DEFAULT_RESOLUTION
    if isinstance(said, bool) or not isinstance(said, int) or not LEAST_RESOLUTION <= said <= MOST_RESOLUTION:
        raise InvalidField(RESOLUTION, f"must be a whole number from {LEAST_RESOLUTION} to {MOST_RESOLUTION}")
    return said
