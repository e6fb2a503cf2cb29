"""Where things with an id are."""

import re

from darkroom.client.errors import ClientError

_ID = re.compile(r"[A-Za-z0-9_-]+")


def place_in(folder: str, name: str) -> str:
    """The path of what has that id. Ids may come from others, and one with `../` in it is the path of something else.

    Raises: ClientError.
    """
    if not _ID.fullmatch(name):
        raise ClientError(f"{name!r} is no id", code="invalid_id")
    return f"{folder}/{name}"
