"""Where does this picture come from?"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from api.deps import ServicesOf, Tenant
from api.documents import problems
from api.uploads import FIELD, uploaded_picture
from darkroom.errors import (
    BadPicture,
    CapacityError,
    InvalidField,
    MalformedBody,
    PayloadTooLarge,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from darkroom.provenance import Verdict

router = APIRouter(prefix="/api/v1/provenance", tags=["provenance"])

# Each verification holds a decoded picture and a processor: more at once would only be slower.
AT_ONCE = 2
IN_LINE = 16

_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {FIELD: {"type": "string", "format": "binary"}},
        "required": [FIELD],
    }
}


class Desk:
    """Lets a few verifications run and a few wait. Waiting bodies stay unread, in the sockets and not in memory."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= IN_LINE:
            raise CapacityError("too many pictures are being verified", retry_after=2)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


@router.post(
    "/verify",
    operation_id="verify_picture",
    openapi_extra={
        "requestBody": {
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
    },
    responses=problems(
        MalformedBody,
        Unauthenticated,
        PayloadTooLarge,
        UnsupportedMediaType,
        BadPicture,
        InvalidField,
        CapacityError,
        StoreUnavailable,
    ),
)
async def verify_picture(request: Request, services: ServicesOf, _: Tenant) -> Verdict:
    """What the picture's credential and its watermark say, and what the two together amount to."""
    desk: Desk = request.app.state.desk
    async with desk:
        data = await uploaded_picture(request, services.settings.max_body_bytes)
        return await services.verifier.verify(data)
