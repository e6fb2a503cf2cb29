"""A picture sent to us: the body itself, or the part `file` of a form. A large one goes to disk, not into memory."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from api.body import chunks, media_type_of
from api.forms import IN_MEMORY, Most, form_of
from darkroom.errors import (
    BadPicture,
    CapacityError,
    InvalidField,
    MalformedBody,
    PayloadTooLarge,
    StoreUnavailable,
    TenantLimit,
    Unauthenticated,
    UnsupportedMediaType,
)

FIELD = "file"
MAX_FORM_FIELDS = 8
MAX_FORM_FIELD_BYTES = 64 * 1024

_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {FIELD: {"type": "string", "format": "binary"}},
        "required": [FIELD],
    }
}
# What OpenAPI is told of such a body, and of what may be wrong with it or with the place where it is looked at.
PICTURE_PROBLEMS = (
    MalformedBody,
    Unauthenticated,
    PayloadTooLarge,
    UnsupportedMediaType,
    BadPicture,
    InvalidField,
    CapacityError,
    TenantLimit,
    StoreUnavailable,
)
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


@asynccontextmanager
async def uploaded_picture(
    request: Request, limit: int, field: str = FIELD, beside: int = 0
) -> AsyncIterator[IO[bytes]]:
    """The one picture in the body, as a file; whether it is a picture is for the reader to say.

    `field`: the part of a form that it is, with up to so many files `beside` it that are let lie.

    Raises: UnsupportedMediaType, PayloadTooLarge, MalformedBody, InvalidField.
    """
    kind = media_type_of(request)
    if kind == "multipart/form-data":
        async with _file_of_form(request, limit, field, 1 + beside) as file:
            yield _not_empty(file)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        with SpooledTemporaryFile(IN_MEMORY) as file:
            async for chunk in chunks(request, limit):
                file.write(chunk)
            yield _not_empty(file)
    else:
        raise UnsupportedMediaType(f"send the picture as image/*, application/octet-stream, or the form part `{field}`")


@asynccontextmanager
async def _file_of_form(request: Request, limit: int, field: str, files: int) -> AsyncIterator[IO[bytes]]:
    most = Most(files, MAX_FORM_FIELDS, MAX_FORM_FIELD_BYTES, f"one part `{field}` is")
    async with form_of(request, limit, most) as form:
        file = form.get(field)
        if not isinstance(file, UploadFile):
            raise InvalidField(field, "the form has no such file")
        yield file.file


def _not_empty(file: IO[bytes]) -> IO[bytes]:
    if file.seek(0, os.SEEK_END) == 0:
        raise MalformedBody("the body is empty")
    file.seek(0)
    return file
