"""A picture sent to us: the body itself, or the part `file` of a form."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.body import media_type_of, read_body
from darkroom.errors import InvalidField, MalformedBody, UnsupportedMediaType

FIELD = "file"
MAX_FORM_FIELDS = 8
MAX_FORM_FIELD_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024

_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {FIELD: {"type": "string", "format": "binary"}},
        "required": [FIELD],
    }
}
# What OpenAPI is told of such a body.
PICTURE_BODY: dict[str, Any] = {
    "required": True,
    "description": "the picture, as the body itself or as the form part `file`",
    "content": {
        "image/png": _BYTES,
        "image/jpeg": _BYTES,
        "image/webp": _BYTES,
        "application/octet-stream": _BYTES,
        "multipart/form-data": _FORM,
    },
}


async def uploaded_picture(request: Request, limit: int) -> bytes:
    """The bytes of the one picture in the body; whether they are a picture is for the reader to say.

    Raises: UnsupportedMediaType, PayloadTooLarge, MalformedBody, InvalidField.
    """
    kind = media_type_of(request)
    if kind == "multipart/form-data":
        return await _file_of_form(request, limit)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return _not_empty(await read_body(request, limit))
    raise UnsupportedMediaType("send the picture as image/*, application/octet-stream, or the form part `file`")


async def _file_of_form(request: Request, limit: int) -> bytes:
    body = await read_body(request, limit)
    parser = MultiPartParser(
        request.headers, _pieces(body), max_files=1, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FORM_FIELD_BYTES
    )
    parser.spool_max_size = limit
    try:
        form = await parser.parse()
    except MultiPartException:
        raise MalformedBody("the form cannot be read: one part `file` is expected") from None
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise InvalidField(FIELD, "the form has no such file")
        return _not_empty(await file.read())
    finally:
        await form.close()


def _not_empty(data: bytes) -> bytes:
    if not data:
        raise MalformedBody("the body is empty")
    return data


async def _pieces(body: bytes) -> AsyncGenerator[bytes, None]:
    """The body bit by bit: others are served between, however long the scan for the boundary takes."""
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]
        await asyncio.sleep(0)
