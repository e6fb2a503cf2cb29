"""Bodies of multipart/form-data, as SDKs send pictures to edit, read into the object that JSON would have been."""

import asyncio
import base64
import os
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from api import strict_json
from api.body import media_type_of, refuse_long_structure
from api.desk import Desks
from api.dialects.bodies import read_object
from api.dialects.openai.inputs import MOST_PICTURES
from api.forms import Most, form_of
from darkroom.errors import InvalidField, MalformedBody, UnsupportedMediaType
from darkroom.inputs.fetched import MOST_BYTES

MOST_FIELDS = 64
MOST_FIELD_BYTES = 1024 * 1024
MOST = Most(
    MOST_PICTURES + 2,
    MOST_FIELDS,
    MOST_FIELD_BYTES,
    f"at most {MOST_PICTURES} pictures, and {MOST_FIELDS} fields of {MOST_FIELD_BYTES} bytes, are",
)
_PICTURES = ("image", "image[]", "mask")
# Text, whatever it looks like; all else is JSON if it can be, since forms know no numbers.
_TEXTS = frozenset(
    {
        *("prompt", "negative_prompt", "model", "size", "quality", "response_format", "output_format", "background"),
        *("user", "safety_identifier", "style", "moderation", "input_fidelity", "scheduler", "vae", "webhook"),
        *("webhook_url", "masked_content", "priority", *_PICTURES),
    }
)


async def read_edit(request: Request) -> dict[str, Any]:
    """The body of a form, or of JSON. Files are in base64. Raises: as `read_object`; InvalidField,
    UnsupportedMediaType."""
    match media_type_of(request):
        case "application/json":
            return await read_object(request)
        case "multipart/form-data":
            return await _read_form(request)
    raise UnsupportedMediaType("send a form of multipart/form-data, as `curl -F` does, or JSON: `curl --json DATA`")


async def _read_form(request: Request) -> dict[str, Any]:
    desks: Desks = request.app.state.desks
    limit = request.app.state.services.settings.max_body_bytes
    with desks.long_bodies.of(request.state.tenant):
        async with form_of(request, limit, MOST) as form:
            return await asyncio.to_thread(_object_of, form)


def _object_of(form: FormData) -> dict[str, Any]:
    """Raises: MalformedBody, InvalidField."""
    structured = [text for name, text in form.multi_items() if isinstance(text, str) and not _is_text(name)]
    refuse_long_structure("".join(structured).encode())  # of all fields together: each alone is short enough
    body: dict[str, Any] = {}
    for name, value in form.multi_items():
        told = _base64(name, value) if isinstance(value, UploadFile) else _value(name, value)
        if name == "image[]" or (name == "image" and name in body):
            body[name] = [*_listed(body.get(name)), told]
        else:
            body[name] = told
    return body


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _base64(name: str, file: UploadFile) -> str:
    """Raises: InvalidField."""
    size = file.file.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise InvalidField(name, f"a picture may have {MOST_BYTES} bytes")
    file.file.seek(0)
    return base64.b64encode(file.file.read()).decode()


def _is_text(name: str) -> bool:
    return name in _TEXTS or "[" in name


def _value(name: str, text: str) -> Any:
    if _is_text(name):
        return text
    if text.lower() in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text.lower()]
    try:
        return strict_json.parse(text.encode())
    except MalformedBody:
        return text  # for whoever reads the field to refuse
