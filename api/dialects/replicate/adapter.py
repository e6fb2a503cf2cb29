"""`{input, webhook, webhook_events_filter}` -> the fields of a generation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from api.dialects.remarks import Remarks
from api.dialects.replicate.names import EVENTS, IDLE, OURS, RENAMED, SCHEDULERS
from api.dialects.schedulers import scheduler_named
from api.errors import field_path
from darkroom.contract.generation import NAME_PATTERN
from darkroom.contract.prediction import PREFIX
from darkroom.errors import InvalidField

_ENVELOPE: Final = ("input", "version", "model", "webhook", "webhook_completed", "webhook_events_filter", "stream")
_SIZE: Final = re.compile(r"([0-9]{1,5})\s*[xX]\s*([0-9]{1,5})", re.ASCII)
_DATA: Final = re.compile(r"data:[^,;]{0,100};base64,", re.IGNORECASE)
_EXPERT: Final = "expert_ensemble_refiner"
_UNREFINED: Final = ("no_refiner",)
_PICTURES: Final = ("image", "mask")

Fields = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """What a request is read against. `base`: where this service is reached. `refiner`: the one there is, if any.
    `checked`: whether the caller's words or pictures are looked at, whatever it asks for."""

    base: str
    refiner: str | None = None
    checked: bool = False


@dataclass
class Settled:
    """`names`: our fields by the caller's, for errors."""

    fields: Fields = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def settled(body: Mapping[str, Any], place: Place, remarks: Remarks) -> Settled:
    """Raises: InvalidField, UnknownScheduler."""
    given = body.get("input")
    if not isinstance(given, dict):
        raise InvalidField("input", "must be an object with what the model is asked for")
    for name, value in body.items():
        if name not in _ENVELOPE and value is not None:
            remarks.note(field_path([name]), "not known here")
    found = Settled(names={"prompt": "input.prompt", "image": "input.image"})
    rest = {name: value for name, value in given.items() if value is not None}
    if not place.checked:
        rest.pop("disable_safety_checker", None)  # nothing stands against it
    _refine(found, rest, place, remarks)
    _lora(found, rest)
    _dimensions(found, rest)
    for name, value in rest.items():
        _translate(found, name, value, remarks, place)
    if "image" not in found.fields and found.names.get("strength") == "input.prompt_strength":
        del found.fields["strength"]  # callers send its default with words alone
    _webhook(found, body)
    return found


def _put(found: Settled, ours: str, path: str, value: Any) -> None:
    found.fields[ours], found.names[ours] = value, path


def _translate(found: Settled, name: str, value: Any, remarks: Remarks, place: Place) -> None:
    path, ours = field_path(["input", name]), RENAMED.get(name, name)
    if name in IDLE:
        neutral, reason = IDLE[name]
        remarks.ignore({path: value}, {path: neutral}, reason or "has no effect here")
    elif ours not in OURS:
        remarks.note(path, "not known here")
    elif ours in found.fields:
        remarks.note(path, f"{found.names[ours]} says it already")
    else:
        _put(found, ours, path, _value(ours, value, path, place))


def _value(ours: str, value: Any, path: str, place: Place) -> Any:
    match ours, value:
        case "scheduler", str():
            return scheduler_named(value, path, SCHEDULERS)
        case "seed", -1:
            return None
        case "output_format", "jpg":
            return "jpeg"
        case (("image" | "mask"), str()):
            return _picture(value, place)
    return value


def _picture(text: str, place: Place) -> str:
    """A file that was uploaded here is named by the id it has as an asset. Clients call data whose kind they do not
    know `application/octet-stream`: what it is, its reader sees."""
    if data := _DATA.match(text):
        return text[data.end() :]
    return text.removeprefix(f"{place.base}{PREFIX}/files/")


def _dimensions(found: Settled, rest: Fields) -> None:
    """`image_dimensions` of older models: 512x512."""
    said = rest.pop("image_dimensions", None)
    if said is None:
        return
    sides = _SIZE.fullmatch(said) if isinstance(said, str) else None
    if sides is None:
        raise InvalidField("input.image_dimensions", "must be a width and a height, as 512x512")
    for ours, side in zip(("width", "height"), sides.groups(), strict=True):
        _put(found, ours, "input.image_dimensions", int(side))


def _refine(found: Settled, rest: Fields, place: Place, remarks: Remarks) -> None:
    """SDXL's: which refiner, and how much of the noise the base leaves to it."""
    said = rest.pop("refine", None)
    if said is None or said in _UNREFINED:
        return
    if said != _EXPERT:
        remarks.note("input.refine", f"only {_EXPERT} is to be had")
    elif place.refiner is None:
        remarks.note("input.refine", "no refiner is served here")
    else:
        switch_at = rest.pop("high_noise_frac", None)
        asked = {"model": place.refiner} | ({} if switch_at is None else {"switch_at": switch_at})
        _put(found, "refiner", "input.refine" if switch_at is None else "input.high_noise_frac", asked)


def _lora(found: Settled, rest: Fields) -> None:
    """`lora_weights` may name a LoRA that is served here, with `lora_scale` as its weight."""
    said = rest.get("lora_weights")
    if not isinstance(said, str) or not re.fullmatch(NAME_PATTERN, said):
        return
    del rest["lora_weights"]
    weight = rest.pop("lora_scale", None)
    _put(found, "loras", "input.lora_weights", [{"model": said} | ({} if weight is None else {"weight": weight})])


def _webhook(found: Settled, body: Mapping[str, Any]) -> None:
    """Raises: InvalidField."""
    name = "webhook_completed" if body.get("webhook") is None else "webhook"
    wanted = body.get("webhook_events_filter")
    if wanted is not None and not (isinstance(wanted, list) and all(isinstance(each, str) for each in wanted)):
        raise InvalidField("webhook_events_filter", "must be a list of texts")
    if unknown := [each for each in wanted or () if each not in EVENTS]:
        raise InvalidField("webhook_events_filter", f"{unknown[0][:40]!r} is none of {', '.join(EVENTS)}")
    if body.get(name) is None:
        return
    _put(found, "webhook_url", name, body[name])
    events = {event for each in wanted or ("output", "completed") for event in EVENTS[each]}
    _put(found, "webhook_events", "webhook_events_filter", sorted(events))
