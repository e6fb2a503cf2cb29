"""Bodies are read here, by ourselves: counted while they stream, timed, and refused before anything is parsed."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from api import strict_json, unknown_fields
from api.desk import Desks
from api.problems import MOST_FIELDS
from darkroom.contract.generation import GenerationRequest
from darkroom.contract.preprocess import PreprocessAsked
from darkroom.errors import MalformedBody, PayloadTooLarge, UnsupportedMediaType
from darkroom.settings import Settings

MAX_JSON_BYTES = 20 * 1024 * 1024
# A body that is longer is so for the pictures in it, and base64 holds none of the signs that JSON is built with.
LONG_BYTES = 1024 * 1024
MOST_SIGNS = 100_000
IDLE_SECONDS = 10.0
TOTAL_SECONDS = 120.0

_AS_JSON = "send it as JSON: `curl --json DATA`, or the header `Content-Type: application/json`"
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}")

T = TypeVar("T")
Location = tuple[str | int, ...]

_GENERATION: TypeAdapter[GenerationRequest] = TypeAdapter(GenerationRequest)
_PREPROCESS = TypeAdapter(PreprocessAsked)


def media_type_of(request: Request) -> str:
    """The bare media type of the body, lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _instead_of(request: Request) -> str:
    """What to do about a body that does not say that it is JSON, for whoever sent it."""
    seen = media_type_of(request)
    match seen:
        case "application/x-www-form-urlencoded":
            return f"the body came as a form ({seen}), as `curl -d` sends it; {_AS_JSON}"
        case "multipart/form-data":
            return f"the body came as a form ({seen}), as `curl -F` sends it; {_AS_JSON}, with pictures in base64"
        case "":
            return f"the body came without a Content-Type; {_AS_JSON}"
    shown = f"as {seen}" if _MEDIA_TYPE.fullmatch(seen) else "under a Content-Type that is none"
    return f"the body came {shown}; {_AS_JSON}"


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, of at most `limit` bytes. Raises: as `chunks`."""
    body = bytearray()
    async for chunk in chunks(request, limit):
        body += chunk
    return bytes(body)


async def chunks(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives, at most `limit` bytes of it.

    Raises:
        UnsupportedMediaType: compressed; we never inflate what a stranger sends.
        PayloadTooLarge: declared or counted past the limit; nothing more is read.
        MalformedBody: the caller stopped sending.
    """
    _refuse_by_headers(request, limit)
    left, until = limit, asyncio.get_running_loop().time() + TOTAL_SECONDS
    arriving = request.stream()
    while (chunk := await _next_chunk(arriving, until)) is not None:
        left -= len(chunk)
        if left < 0:
            raise _too_large(limit)
        yield chunk


def _refuse_by_headers(request: Request, limit: int) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("send the body without Content-Encoding")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)


async def _next_chunk(arriving: AsyncGenerator[bytes, None], until: float) -> bytes | None:
    soon = asyncio.get_running_loop().time() + IDLE_SECONDS
    try:
        async with asyncio.timeout_at(min(soon, until)):
            return await anext(arriving, None)
    except (TimeoutError, ClientDisconnect):
        raise MalformedBody("the body did not arrive in time") from None


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body may have {limit} bytes")


async def generation_request(request: Request) -> GenerationRequest:
    """The request for a generation, read strictly. Raises: as `read_asked`."""
    return await read_asked(request, _generation_of)


async def preprocess_request(request: Request) -> PreprocessAsked:
    """The request for a control map, read strictly. Raises: as `read_asked`."""
    return await read_asked(request, _preprocess_of)


async def read_validated(request: Request, asked: TypeAdapter[T]) -> T:
    """A body whose fields are all at its top. Raises: as `read_asked`."""
    return await read_asked(request, lambda data: _validated(asked, data, lambda found: found))


async def read_asked(request: Request, asked_of: Callable[[bytes], T]) -> T:
    """What the JSON of the body asks for.

    Raises: UnsupportedMediaType, PayloadTooLarge, MalformedBody, RequestValidationError, CapacityError,
        TenantLimit.
    """
    if media_type_of(request) != "application/json":
        raise UnsupportedMediaType(_instead_of(request))
    with place_of(request):
        data = await read_body(request, json_limit(request.app.state.services.settings))
        if len(data) > LONG_BYTES:
            return await asyncio.to_thread(asked_of, data)
    return asked_of(data)


def place_of(request: Request) -> AbstractContextManager[None]:
    """Long bodies, and those that do not say, are read by few at a time: they lie in memory."""
    declared = request.headers.get("content-length", "")
    short = declared.isdecimal() and int(declared[:20]) <= LONG_BYTES
    desks: Desks = request.app.state.desks
    return nullcontext() if short else desks.long_bodies.of(request.state.tenant)


def _generation_of(data: bytes) -> GenerationRequest:
    # In front of every location stands the task that pydantic took; with nothing behind it, the task is at fault.
    return _validated(_GENERATION, data, lambda found: found[1:] if found else ("task",))


def _preprocess_of(data: bytes) -> PreprocessAsked:
    return _validated(_PREPROCESS, data, lambda found: found)


def _validated(asked: TypeAdapter[T], data: bytes, located: Callable[[Location], Location]) -> T:
    """Validated as JSON text, not as Python objects: strict mode takes arrays for tuples and strings for enums only
    there."""
    refuse_long_structure(data)
    value = strict_json.parse(data)
    try:
        return asked.validate_json(json.dumps(value))
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False, include_context=False)
        for found in findings[:MOST_FIELDS]:
            if found["type"] == "extra_forbidden":
                found["msg"] = unknown_fields.words(asked, found["loc"])
        errors = [{**found, "loc": ("body", *located(found["loc"]))} for found in findings]
        raise RequestValidationError(errors) from None


def json_limit(settings: Settings) -> int:
    """Most bytes of a request in JSON."""
    return min(MAX_JSON_BYTES, settings.max_body_bytes)


def refuse_long_structure(data: bytes) -> None:
    """Before it is parsed: megabytes of brackets would become gigabytes of objects. Raises: MalformedBody."""
    if len(data) > LONG_BYTES and sum(map(data.count, (b",", b"[", b"{"))) > MOST_SIGNS:
        raise MalformedBody(f"the body holds more than {strict_json.MAX_VALUES} values")


AskedGeneration = Annotated[GenerationRequest, Depends(generation_request)]
AskedPreprocess = Annotated[PreprocessAsked, Depends(preprocess_request)]
