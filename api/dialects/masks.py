"""Masks that say in a dialect's way what is made anew, told in ours: white, on black."""

import asyncio
import base64
from collections.abc import Callable

from starlette.requests import Request

from api.desk import Desks
from api.errands import fetched
from darkroom.inputs.normal import Pixels, packed
from darkroom.inputs.reading import Sources, read_picture
from darkroom.services import Services


async def remade(
    request: Request, services: Services, tenant: str, mask: str, change: Callable[[Pixels], Pixels | None]
) -> str:
    """What `change` makes of `mask`, however the caller names or sends it, in base64; `mask` where it makes nothing.

    Raises: InvalidField naming `mask`; UrlRefused, UrlUnreachable, PayloadTooLarge, CapacityError, TenantLimit,
        StoreUnavailable.
    """
    desks: Desks = request.app.state.desks
    async with fetched(desks.errands, tenant, {"mask": mask}, services.guard) as files, desks.reading.of(tenant):
        found = await read_picture(Sources(services.store, tenant, files), "mask", mask)
        return await asyncio.to_thread(_changed, found.picture.pixels, change) or mask


def _changed(pixels: Pixels, change: Callable[[Pixels], Pixels | None]) -> str | None:
    changed = change(pixels)
    return None if changed is None else base64.b64encode(packed(changed).png).decode()
