"""Units of the ControlNet extension, in `alwayson_scripts` -> controls of ours.

Names, aliases and defaults are those of sd-webui-controlnet, scripts/api.py and internal_controlnet/args.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.dialects.a1111.asking import Asking
from api.dialects.a1111.modules import Module, module_of
from api.dialects.a1111.neutral import CONTROLNET, NO_EFFECT
from api.dialects.a1111.titles import controlnet_of
from api.dialects.a1111.typed import Body, flag_of, list_of, number_of, object_of, text_of
from darkroom.contract.controlnet import ControlnetSpec
from darkroom.errors import InvalidField

FIELD = "alwayson_scripts.ControlNet.args"

# Values that say nothing, as in `neutral`: -1 is the extension's own choice, 64 and 512 what webuiapi always sends, and
# 100 and 200 are what our canny does.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "control_mode": (0, "Balanced"),
    "guessmode": (False, 0),
    "hr_option": ("Both", 0),
    "mask": (),
    "mask_image": (),
    "effective_region_mask": (),
    "processor_res": (-1, 0, 64, 512),
    "threshold_a": (-1, 0, 64, 0.5, 100),
    "threshold_b": (-1, 0, 64, 0.5, 200),
    "advanced_weighting": (),
    "ipadapter_input": (),
}
_NONE = ("", "none")


def controls(asking: Asking) -> list[dict[str, Any]]:
    """Those units that are enabled. Raises: InvalidField, UnknownControlnet, naming the unit."""
    units = _units(object_of(asking.body, "alwayson_scripts"), asking)
    return [_control(f"{FIELD}.{index}", unit, asking) for index, unit in units if _enabled(unit, index)]


def _units(scripts: Body, asking: Asking) -> Iterator[tuple[int, Body]]:
    """With their place, under whatever spelling. In front may stand flags, which older clients sent by place."""
    for name, said in scripts.items():
        if name.strip().lower() != CONTROLNET:
            continue
        args = said.get("args") if isinstance(said, dict) else said
        for index, unit in enumerate(args if isinstance(args, list) else [args]):
            if isinstance(unit, dict):
                yield index, unit
            elif unit not in (None, [], "") and not isinstance(unit, bool):
                asking.remarks.note(f"{FIELD}.{index}", NO_EFFECT)


def _enabled(unit: Body, index: int) -> bool:
    with_place = {f"{FIELD}.{index}.enabled": unit.get("enabled")}
    return flag_of(with_place, f"{FIELD}.{index}.enabled", default=True)


def _control(field: str, unit: Body, asking: Asking) -> dict[str, Any]:
    placed = {f"{field}.{name}": value for name, value in unit.items() if isinstance(name, str)}
    module = module_of(text_of(placed, f"{field}.module", "none"), f"{field}.module")
    net = _net(field, placed, asking)
    if net is None and module.type is None:
        raise InvalidField(f"{field}.model", "a unit needs a model, or a module whose maps tell which")
    _remark(field, unit, module, asking)
    start, end = _guidance(field, placed)
    return {
        "type": net.type if net and module.type is None else module.type,
        "model": net.name if net else None,
        "image": _image(field, placed, asking),
        "scale": number_of(placed, f"{field}.weight", 1.0),
        "start": start,
        "end": end,
        "preprocess": module.type is not None,
    }


def _net(field: str, placed: Body, asking: Asking) -> ControlnetSpec | None:
    named = text_of(placed, f"{field}.model", "None")
    return None if named.strip().lower() in _NONE else controlnet_of(asking.catalog, named, f"{field}.model")


def _guidance(field: str, placed: Body) -> tuple[float, float]:
    """`guidance` is the end's name of old."""
    start = number_of(placed, f"{field}.guidance_start", 0.0)
    end = number_of(placed, f"{field}.guidance_end", number_of(placed, f"{field}.guidance", 1.0))
    return start, end


def _image(field: str, placed: Body, asking: Asking) -> str:
    """Of a unit without one, the picture that is drawn over, as there."""
    said = placed.get(f"{field}.image") or placed.get(f"{field}.input_image")
    if isinstance(said, dict):
        if said.get("mask"):
            asking.remarks.note(f"{field}.mask", NO_EFFECT)
        said = said.get("image")
    drawn_over = list_of(asking.body, "init_images")
    image = said or (drawn_over[0] if drawn_over else None)
    if not isinstance(image, str) or not image:
        raise InvalidField(f"{field}.image", "controlnet is enabled but no input image is given")
    return image


def _remark(field: str, unit: Body, module: Module, asking: Asking) -> None:
    for name, values in _NEUTRAL.items():
        asking.remarks.ignore({f"{field}.{name}": unit.get(name)}, {f"{field}.{name}": values}, NO_EFFECT)
    if reason := module.remark(asking.catalog.preprocessors):
        asking.remarks.note(f"{field}.module", reason)
