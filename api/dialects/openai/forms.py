"""Bodies of multipart/form-data, as SDKs send pictures to edit, read into the object that JSON would have been."""

import asyncio
import base64
import os
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api import strict_json
from api.body import chunks, media_type_of
from api.desk import Desks
from api.dialects.bodies import read_object
from api.dialects.openai.inputs import MOST_PICTURES
from api.uploads import IN_MEMORY, yielding
from darkroom.errors import InvalidField, MalformedBody
from darkroom.inputs.fetched import MOST_BYTES

MOST_FIELDS = 64
MOST_FIELD_BYTES = 1024 * 1024
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
    """The body of a form, or of JSON. Files are in base64. Raises: as `read_object`; InvalidField."""
    if media_type_of(request) != "multipart/form-data":
        return await read_object(request)
    desks: Desks = request.app.state.desks
    with desks.long_bodies.of(request.state.tenant):
        form = await _parsed(request)
        try:
            return await asyncio.to_thread(_object_of, form)
        finally:
            await form.close()


async def _parsed(request: Request) -> FormData:
    """Raises: MalformedBody, PayloadTooLarge, UnsupportedMediaType."""
    limit = request.app.state.services.settings.max_body_bytes
    parser = MultiPartParser(
        request.headers,
        yielding(chunks(request, limit)),
        max_files=MOST_PICTURES + 2,
        max_fields=MOST_FIELDS,
        max_part_size=MOST_FIELD_BYTES,
    )
    parser.spool_max_size = IN_MEMORY
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise MalformedBody(
            f"the form cannot be read: at most {MOST_PICTURES} pictures, and {MOST_FIELDS} fields of"
            f" {MOST_FIELD_BYTES} bytes, are expected"
        ) from error


def _object_of(form: FormData) -> dict[str, Any]:
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


def _value(name: str, text: str) -> Any:
    if name in _TEXTS or "[" in name:
        return text
    if text.lower() in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text.lower()]
    try:
        return strict_json.parse(text.encode("utf-8", "surrogatepass"))
    except MalformedBody:
        return text  # for whoever reads the field to refuse
