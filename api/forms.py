"""Forms of multipart/form-data as they arrive: of so many parts, whose names and texts are UTF-8."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.body import chunks
from darkroom.errors import MalformedBody, UnsupportedMediaType

IN_MEMORY = 1024 * 1024  # bytes, beyond which an upload goes on in a temporary file without a name
_UTF_8 = (b"", b"utf-8", b"utf8", b"us-ascii")


@dataclass(frozen=True)
class Most:
    """What a form may have. `expected`: that in words."""

    files: int
    fields: int
    field_bytes: int
    expected: str


@asynccontextmanager
async def form_of(request: Request, limit: int, most: Most) -> AsyncIterator[FormData]:
    """The form in a body of at most `limit` bytes. Raises: as `chunks`; MalformedBody, UnsupportedMediaType."""
    _refuse_other_alphabets(request)
    parser = MultiPartParser(
        request.headers,
        yielding(chunks(request, limit)),
        max_files=most.files,
        max_fields=most.fields,
        max_part_size=most.field_bytes,
    )
    parser.spool_max_size = IN_MEMORY
    try:
        form = await parser.parse()
    except MultiPartException:
        raise MalformedBody(f"the form cannot be read: {most.expected} expected") from None
    try:
        yield form
    finally:
        await form.close()


def _refuse_other_alphabets(request: Request) -> None:
    """The parser takes any codec of Python's: some fail in ways of their own, and some give halves of surrogates."""
    _, parameters = parse_options_header(request.headers.get("content-type", ""))
    if parameters.get(b"charset", b"").lower() not in _UTF_8:
        raise UnsupportedMediaType("a form is read in UTF-8; send it without a charset")


async def yielding(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The body bit by bit: others are served between, however long the scan for the boundary takes."""
    async for piece in pieces:
        yield piece
        await asyncio.sleep(0)
