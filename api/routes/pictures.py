"""Pictures by links that carry their right in themselves: see `api.links`."""

import time
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import links
from api.deps import ServicesOf
from api.documents import problems
from darkroom.contract.plan import MEDIA_TYPES
from darkroom.errors import BadLink, ForbiddenOrigin, NotStored, StoreUnavailable

router = APIRouter(prefix=links.PREFIX, tags=["generations"])

_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_TYPES = {f".{media_type.removeprefix('image/')}": media_type for media_type in MEDIA_TYPES.values()}


@router.get(
    "/{name}",
    operation_id="get_linked_picture",
    response_class=Response,
    responses=problems(BadLink, ForbiddenOrigin, NotStored, StoreUnavailable)
    | {200: {"description": "the picture", "content": dict.fromkeys(_TYPES.values(), _PICTURE)}},
)
async def get_linked_picture(
    services: ServicesOf,
    name: Annotated[str, Path(description="of the picture, as in the link")],
    expires: Annotated[str, Query(description="as in the link")] = "",
    signature: Annotated[str, Query(description="as in the link")] = "",
) -> Response:
    """A finished picture, by a link that answers in the dialects of others hold; nobody needs a key."""
    now = time.time()
    links.check(services.subkeys.links, name, expires, signature, now)
    headers = {
        "Cache-Control": f"private, max-age={int(expires) - int(now)}, immutable",
        "Content-Disposition": f'inline; filename="{name}"',
        # Whoever has the link may show the picture, on whatever page.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    data = await services.store.get(links.key_of(name))
    return Response(data, media_type=_TYPES[PurePosixPath(name).suffix], headers=headers)
