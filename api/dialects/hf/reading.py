"""The body of a request: JSON under whatever media type, or a picture as it is.

`huggingface_hub` sends bytes of pictures without a media type, and what people paste from documentation sends JSON as
curl's form. A page of another origin is stopped before (`api.visitors`).
"""

import asyncio
import base64
from typing import Any, Final

from fastapi import Request

from api.body import LONG_BYTES, json_limit, media_type_of, place_of, read_body
from api.dialects.bodies import object_of
from darkroom.contract.generation import MAX_PICTURE_CHARS
from darkroom.errors import MalformedBody, PayloadTooLarge

_MOST_BYTES: Final = MAX_PICTURE_CHARS // 4 * 3
_SPACE: Final = b" \t\r\n"


async def read(request: Request) -> dict[str, Any] | str:
    """The object in the body, or the base64 of a picture that is all of it.

    Raises: PayloadTooLarge, MalformedBody, InvalidField, UnsupportedMediaType, CapacityError, TenantLimit.
    """
    with place_of(request):
        data = await read_body(request, json_limit(request.app.state.services.settings))
        if not data:
            raise MalformedBody("the body is empty")
        of = object_of if _is_json(media_type_of(request), data) else _encoded
        return await asyncio.to_thread(of, data) if len(data) > LONG_BYTES else of(data)


def _is_json(media_type: str, data: bytes) -> bool:
    if media_type == "application/json":
        return True
    return not media_type.startswith("image/") and data[:64].lstrip(_SPACE).startswith(b"{")


def _encoded(data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise PayloadTooLarge(f"a picture may have {_MOST_BYTES} bytes")
    return base64.b64encode(data).decode()
