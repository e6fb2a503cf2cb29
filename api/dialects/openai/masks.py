"""Masks as OpenAI has them: what is transparent is edited. Ours are grey, and white is made anew."""

import asyncio
import base64

import numpy as np
from starlette.requests import Request

from api.desk import Desks
from api.errands import fetched
from darkroom.errors import InvalidField
from darkroom.inputs.normal import Pixels, packed
from darkroom.inputs.reading import Sources, read_picture
from darkroom.services import Services


async def white_where_clear(request: Request, services: Services, tenant: str, mask: str) -> str:
    """`mask`, however the caller names or sends it, as one of ours in base64.

    Raises: InvalidField naming `mask`; UrlRefused, UrlUnreachable, PayloadTooLarge, CapacityError, TenantLimit,
        StoreUnavailable.
    """
    desks: Desks = request.app.state.desks
    async with fetched(desks.errands, tenant, {"mask": mask}, services.guard) as files, desks.reading.of(tenant):
        found = await read_picture(Sources(services.store, tenant, files), "mask", mask)
        return await asyncio.to_thread(_base64, inverted(found.picture.pixels))


def inverted(pixels: Pixels) -> Pixels:
    """H W 3, white where `pixels` are clear. Raises: InvalidField for a picture that is opaque all over."""
    if pixels.shape[2] != 4 or not (pixels[..., 3] < 128).any():
        raise InvalidField("mask", "nothing in it is transparent, which is how a mask says what is to be edited")
    return np.repeat(255 - pixels[..., 3:], 3, axis=2)


def _base64(pixels: Pixels) -> str:
    return base64.b64encode(packed(pixels).png).decode()
