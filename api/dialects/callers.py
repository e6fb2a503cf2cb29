"""Who calls, as clients of other services say it: a key as a bearer, as a token, or as the password of Basic.

Clients without a key send an empty header or `Basic ` with nothing behind it; that is no key.
"""

import base64
from typing import Annotated

from fastapi import Depends, Request

from api.auth import KeyRing


def key_in(authorization: str) -> str | None:
    """The key that the header's value holds; None where it holds none."""
    scheme, _, rest = authorization.strip().partition(" ")
    said = rest.strip()
    if scheme.lower() == "basic":
        said = _password(said)
    return said or None


def _password(encoded: str) -> str:
    """RFC 7617: the user before the first colon says nothing here. What is not Basic at all is no known key."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, no ASCII or no UTF-8
        return encoded


def caller_of(request: Request) -> str:
    """The caller's tenant. Raises: Unauthenticated."""
    keys: KeyRing = request.app.state.keys
    tenant = keys.tenant(key_in(request.headers.get("authorization", "")))
    request.state.tenant = tenant
    return tenant


Caller = Annotated[str, Depends(caller_of)]
