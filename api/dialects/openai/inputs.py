"""The pictures of a request to edit: which is edited, and where."""

from collections.abc import Container, Mapping
from typing import Any

from api.dialects.remarks import Remarks
from darkroom.errors import InvalidField

VARIATION_STRENGTH = 0.75
MOST_PICTURES = 16


def edited(body: Mapping[str, Any], remarks: Remarks, settled: Container[str] = ()) -> dict[str, Any]:
    """`image` and, where there is one, `mask`, each as the caller names or sends it, but for those that are `settled`
    already, as ours. Raises: InvalidField.

    A mask is as OpenAI has it: edited is what is transparent in it.
    """
    if body.get("markup") is not None:
        raise InvalidField("markup", "is not read here: send the part that is to change as a mask")
    found = {} if "image" in settled else {"image": _first(body, remarks)}
    if body.get("mask") is not None and "mask" not in settled:
        found["mask"] = _named("mask", body["mask"])
    return found


def _first(body: Mapping[str, Any], remarks: Remarks) -> str:
    field = next((name for name in ("image", "image[]", "images") if body.get(name) is not None), None)
    if field is None:
        raise InvalidField("image", "is required")
    pictures = body[field] if isinstance(body[field], list) else [body[field]]
    if not 1 <= len(pictures) <= MOST_PICTURES:
        raise InvalidField(field, f"must be from 1 to {MOST_PICTURES} pictures")
    if len(pictures) > 1:
        remarks.note(field, "only the first picture is edited, the others have no effect")
    return _named(field, pictures[0])


def _named(field: str, said: Any) -> str:
    """What is in `image_url` where a picture is an object. Raises: InvalidField."""
    if isinstance(said, dict):
        said = said.get("image_url")
        said = said.get("url") if isinstance(said, dict) else said
    if not isinstance(said, str) or not said:
        raise InvalidField(field, "must be a picture: a file of the form, base64, a data: URL, or a URL")
    return said
