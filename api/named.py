"""A picture that is sent to us, or named by its URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.body import media_type_of, read_validated
from api.uploads import PICTURE_BODY, PICTURE_PROBLEMS, uploaded_picture
from darkroom.errors import UrlRefused, UrlUnreachable
from darkroom.outbound import Limits, fetch
from darkroom.outbound.fetching import MAX_URL
from darkroom.services import Services


class PictureNamed(BaseModel):
    """Where a picture lies."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    url: str = Field(
        min_length=1,
        max_length=MAX_URL,
        description="http or https, of a public host; redirects are not followed",
        examples=["https://example.com/heart.png"],
    )


_NAMED: Final = TypeAdapter(PictureNamed)
NAMED_PROBLEMS: Final = (*PICTURE_PROBLEMS, UrlRefused, UrlUnreachable)
NAMED_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": "the picture, as the body itself or as the form part `file`; or its URL, from which we fetch it",
    "content": PICTURE_BODY["content"] | {"application/json": {"schema": PictureNamed.model_json_schema()}},
}


@asynccontextmanager
async def named_picture(request: Request, services: Services, tenant: str) -> AsyncIterator[IO[bytes]]:
    """The one picture that the body holds or names, as a file.

    Raises: as `uploaded_picture`; RequestValidationError, UrlRefused, UrlUnreachable.
    """
    most = services.settings.max_body_bytes
    if media_type_of(request) == "application/json":
        named = await read_validated(request, _NAMED)
        with await fetch(named.url, Limits(most), services.guard.on_behalf_of(tenant)) as file:
            yield file
    else:
        async with uploaded_picture(request, most) as file:
            yield file
