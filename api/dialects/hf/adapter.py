"""`{inputs, parameters}` -> the fields of a generation.

`inputs` are words, or with a prompt among the parameters a picture in base64. Names of parameters are those of the
clients' text_to_image and image_to_image, those of diffusers' pipelines, and our own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.dialects.remarks import Remarks
from api.dialects.schedulers import scheduler_named
from api.errors import field_path
from darkroom.contract.generation import ImageToImage, Inpaint, Outpaint, TextToImage
from darkroom.errors import InvalidField, NotFound

TASKS: Final = ("text-to-image", "image-to-image")
# How base64 of a PNG, a JPEG and a WebP begins, and a data: URL. No prompt does.
_PICTURES: Final = ("iVBORw0KGgo", "/9j/", "UklGR", "data:image/")
_OURS: Final = {
    field for task in (TextToImage, ImageToImage, Inpaint, Outpaint) for field in task.model_fields
} - {"task", "model", "n", "prompt"}  # fmt: skip
_RENAMED: Final = {"num_inference_steps": "steps", "mask_image": "mask"}
_COUNTS: Final = ("n", "num_images_per_prompt")
_ENVELOPE: Final = ("inputs", "parameters", "options")

Fields = dict[str, Any]


@dataclass(frozen=True)
class Settled:
    """`names`: our fields by the names that the caller gave them, for errors."""

    fields: Fields
    names: Mapping[str, str]


def settled(body: Mapping[str, Any], remarks: Remarks, task: str | None = None) -> Settled:
    """`task`: the path's. Raises: InvalidField, UnknownScheduler; NotFound for a task that is not ours."""
    if task is not None and task not in TASKS:
        raise NotFound(f"this service knows the tasks {' and '.join(TASKS)}")
    for name, value in body.items():
        if name not in _ENVELOPE and value is not None:
            remarks.note(field_path([name]), "not known here")
    inputs, parameters = body.get("inputs"), _object(body, "parameters")
    if not isinstance(inputs, str):
        raise InvalidField("inputs", "must be a text, or a picture in base64")
    given = {name: value for name, value in parameters.items() if value is not None}
    start = _start(inputs, given, task)
    fields, names = _translated(given, remarks)
    names |= {ours: theirs for ours, (theirs, _) in start.items()}
    return Settled(fields | {ours: value for ours, (_, value) in start.items()}, names)


def of_picture(base64: str) -> Settled:
    """A picture that came alone, as a body of its own."""
    return Settled({"image": base64, "prompt": ""}, {"image": "inputs", "prompt": "inputs"})


def _start(inputs: str, given: Fields, task: str | None) -> dict[str, tuple[str, Any]]:
    """Words and picture: our field -> (the caller's, its value)."""
    if "image" in given:
        return {"prompt": ("inputs", inputs)}
    words = given.pop("prompt", None)
    if words is None and task != "image-to-image" and not inputs.startswith(_PICTURES):
        return {"prompt": ("inputs", inputs)}
    return {"image": ("inputs", inputs), "prompt": ("parameters.prompt", "" if words is None else words)}


def _translated(given: Fields, remarks: Remarks) -> tuple[Fields, dict[str, str]]:
    fields: Fields = {}
    names: dict[str, str] = {}
    for name, value, path in _flat(given):
        ours = _RENAMED.get(name, name)
        if name in _COUNTS:
            _count(path, value, remarks)
        elif ours not in _OURS:
            remarks.note(path, "not known here")
        elif ours in fields:
            remarks.note(path, f"{names[ours]} says it already")
        else:
            fields[ours], names[ours] = _value(ours, value, path), path
    return fields, names


def _flat(given: Fields) -> list[tuple[str, Any, str]]:
    """Name, value and path of each parameter, those of `target_size` first."""
    size = _object(given, "target_size", "parameters.target_size")
    inside = [(name, value, field_path(["parameters", "target_size", name])) for name, value in size.items()]
    rest = [(name, value, field_path(["parameters", name])) for name, value in given.items() if name != "target_size"]
    return [*inside, *rest]


def _value(ours: str, value: Any, path: str) -> Any:
    if ours == "scheduler" and isinstance(value, str):
        return scheduler_named(value, path)
    return None if ours == "seed" and value == -1 else value


def _count(path: str, value: Any, remarks: Remarks) -> None:
    if value != 1:
        remarks.note(path, "one picture is answered")


def _object(body: Mapping[str, Any], name: str, path: str | None = None) -> Mapping[str, Any]:
    """Raises: InvalidField."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidField(path or name, "must be an object")
    return value
