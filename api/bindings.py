"""Bodies and rules of the C2PA Soft Binding Resolution API. Its names are the specification's, not ours."""

import base64
import binascii
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from api.body import read_validated
from api.errors import field_path
from darkroom.errors import MalformedRequest
from darkroom.provenance.resolution import Resolver
from darkroom.provenance.watermark import MARK_BYTES

MAX_VALUE: Final = 2048  # characters of a value in an address
VALUE_PATTERN: Final = "^[A-Za-z0-9+/]{8}$"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Binding(_Frozen):
    """A soft binding: an algorithm, and what it found."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    alg: str
    value: str = Field(description="base64 of the six bytes of a mark", json_schema_extra={"pattern": VALUE_PATTERN})


class Match(_Frozen):
    """A manifest that matches; `similarityScore` 0..100."""

    manifestId: str
    similarityScore: int = Field(ge=0, le=100)


class Matches(_Frozen):
    matches: tuple[Match, ...] = ()


class SupportedAlgorithm(_Frozen):
    alg: str


class SupportedAlgorithms(_Frozen):
    watermarks: tuple[SupportedAlgorithm, ...] = ()
    fingerprints: tuple[SupportedAlgorithm, ...] = ()


class SpecifiedStatus(APIRoute):
    """A route whose wrong parameters are a 400, as the specification has it, and not our 422."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_specified(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                found = error.errors()[0]
                raise MalformedRequest(f"{field_path(found['loc'][1:])}: {found['msg']}") from None

        return handle_as_specified


_BINDING = TypeAdapter(Binding)


async def posted_binding(request: Request) -> Binding:
    """Raises: as `read_validated`."""
    return await read_validated(request, _BINDING)


def require_known(resolver: Resolver, alg: str) -> None:
    """Raises: MalformedRequest."""
    if alg not in resolver.algs:
        raise MalformedRequest(f"alg: this service looks for {', '.join(resolver.algs) or 'no soft binding'}")


def mark_of(value: str) -> int:
    """The mark id in the value of a soft binding. Raises: MalformedRequest."""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedRequest("value: not base64") from None
    if len(data) != MARK_BYTES:
        raise MalformedRequest(f"value: {MARK_BYTES} bytes are expected")
    return int.from_bytes(data, "big")
