"""Bodies of dialects: JSON objects with whatever fields, since clients send what their own service knows."""

from typing import Any

from fastapi import Request

from api import strict_json
from api.body import read_asked, refuse_long_structure
from darkroom.errors import MalformedBody


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises: as `read_asked`; MalformedBody where it is not an object."""
    return await read_asked(request, object_of)


def object_of(data: bytes) -> dict[str, Any]:
    """Raises: MalformedBody, InvalidField."""
    refuse_long_structure(data)
    value = strict_json.parse(data)
    if not isinstance(value, dict):
        raise MalformedBody("the body is not a JSON object")
    return value
