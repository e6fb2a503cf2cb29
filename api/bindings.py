"""Bodies and rules of the C2PA Soft Binding Resolution API. Its names are the specification's, not ours."""

import re
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
from darkroom.provenance.binding import TRUSTMARK, bound_id
from darkroom.provenance.resolution import Resolver

MAX_VALUE: Final = 2048  # characters of a value in an address
VALUE_PATTERN: Final = r"^(?:[A-Za-z0-9+/]{8}|[A-Za-z0-9+/]{84}|1\*[01]{61})$"
VALUE_WORDS: Final = (
    "base64 of the six bytes of a mark; of TrustMark, also the text that its tools write, or its base64"
)
_FOREIGN: Final = re.compile(r"[0-3]\*[01]{40,75}")  # what TrustMark's tools write of schemas that are not ours


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Binding(_Frozen):
    """A soft binding: an algorithm, and what it found."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    alg: str
    value: str = Field(description=VALUE_WORDS, json_schema_extra={"pattern": VALUE_PATTERN})


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


def mark_of(alg: str, value: str) -> int | None:
    """The mark id in the value of a soft binding; None for one that others made. Raises: MalformedRequest."""
    mark_id = bound_id(alg, value)
    if mark_id is None and not (alg.startswith(TRUSTMARK) and _FOREIGN.fullmatch(value)):
        raise MalformedRequest(f"value: {VALUE_WORDS} is expected")
    return mark_id
