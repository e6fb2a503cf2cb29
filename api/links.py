"""Links to pictures that carry their right in themselves: who has one needs no key, for an hour.

Clients of other services fetch what they are given without their key, and show it in pages and chats. A store with
addresses of its own presigns them; else the link is one of ours, signed by a key that all gateways have.
"""

import base64
import hmac
import time
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from api.addresses import base_url
from darkroom.contract.job import Artifact
from darkroom.errors import BadLink
from darkroom.services import Services

PREFIX: Final = "/api/v1/pictures"
LIFETIME: Final = timedelta(hours=1)


async def picture_url(services: Services, request: Request, artifact: Artifact) -> str:
    """Where anybody may fetch a finished picture for an hour. Raises: StoreUnavailable."""
    name = name_of(artifact.key)
    url = await services.store.url(artifact.key, expires=LIFETIME, media_type=artifact.media_type, filename=name)
    if url is not None:
        return url
    return base_url(request, services.settings) + signed_path(services.subkeys.links, name, time.time())


def name_of(key: str) -> str:
    """`JOB-INDEX.png` of the key at which a picture is stored."""
    return "-".join(key.split("/")[1:])


def key_of(name: str) -> str:
    """The other way."""
    return "/".join(("images", *name.split("-")))


def signed_path(key: bytes, name: str, now: float) -> str:
    return f"{PREFIX}/{name}?{signed_query(key, name, now)}"


def signed_query(key: bytes, name: str, now: float) -> str:
    """The right to what `name` names, for `check`. No two kinds of things may have one name."""
    expires = str(int(now + LIFETIME.total_seconds()))
    return urlencode({"expires": expires, "signature": _signature(key, name, expires)})


def check(key: bytes, name: str, expires: str, signature: str, now: float) -> None:
    """Nothing, for a link of ours. Raises: BadLink for one that was altered or has expired."""
    expected = _signature(key, name, expires)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
        raise BadLink("this is no link of ours, or it was altered")
    if int(expires) <= now:  # a number, since we have signed it
        raise BadLink("the link has expired: ask for the generation again to have a new one")


def _signature(key: bytes, name: str, expires: str) -> str:
    """HMAC-SHA256 in base64url. What we sign has one line break, so that no two pairs are one text."""
    text = f"{name}\n{expires}".encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).decode().rstrip("=")
