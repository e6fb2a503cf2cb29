"""Whom a client says it calls for: kept so that the same user can be found again, and nobody can be named by it."""

import hmac
from collections.abc import Mapping
from typing import Any

from darkroom.errors import InvalidField

LABEL = "user"
MOST_CHARS = 512


def user_of(body: Mapping[str, Any], key: bytes) -> dict[str, str]:
    """Metadata: the keyed hash of `safety_identifier`, or else of `user`. Raises: InvalidField."""
    for field in ("safety_identifier", "user"):
        said = body.get(field)
        if said in (None, ""):
            continue
        if not isinstance(said, str) or len(said) > MOST_CHARS:
            raise InvalidField(field, f"must be a text of at most {MOST_CHARS} characters")
        return {LABEL: hmac.digest(key, said.encode("utf-8", "surrogatepass"), "sha256").hex()}
    return {}
