"""Pictures of a request that lie elsewhere: fetched before any is read, so that no slow server holds up who decodes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import IO, Final

from darkroom.contract.generation import MAX_PICTURE_CHARS
from darkroom.errors import UrlError
from darkroom.inputs.naming import lies_elsewhere
from darkroom.outbound import Guard, Limits, fetch

# As many bytes as a request in JSON can hold of one picture.
MOST_BYTES: Final = MAX_PICTURE_CHARS // 4 * 3


@asynccontextmanager
async def fetched(pictures: Mapping[str, str], guard: Guard) -> AsyncIterator[Mapping[str, IO[bytes]]]:
    """What lies at the URLs among `pictures` (field -> text), by URL: all at once, each within the time of one fetch.

    Raises:
        UrlRefused, UrlUnreachable: naming the first field whose URL it is.
        PayloadTooLarge: more than MOST_BYTES.
    """
    fields: dict[str, str] = {}
    for field, text in pictures.items():
        if lies_elsewhere(text):
            fields.setdefault(text, field)
    errands = [_fetched(url, field, guard) for url, field in fields.items()]
    answers = await asyncio.gather(*errands, return_exceptions=True)
    try:
        yield dict(zip(fields, map(_sound, answers), strict=True))
    finally:
        for answer in answers:
            if not isinstance(answer, BaseException):
                answer.close()


async def _fetched(url: str, field: str, guard: Guard) -> IO[bytes]:
    try:
        return await fetch(url, Limits(MOST_BYTES), guard)
    except UrlError as error:
        error.field = field
        raise


def _sound(answer: IO[bytes] | BaseException) -> IO[bytes]:
    if isinstance(answer, BaseException):
        raise answer
    return answer
