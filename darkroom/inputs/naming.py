"""How a request names a picture: its bytes in base64, plain or as a data: URL, the id of an asset, or a URL."""

import base64
import binascii
import re
from dataclasses import dataclass

from darkroom.errors import InvalidField

_ASSET_ID = re.compile(r"[0-9a-f]{64}")
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,32};base64,", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://", re.IGNORECASE)  # no base64 has a colon in it


@dataclass(frozen=True)
class AssetId:
    """sha256 of a picture in our form, lower case hex."""

    sha256: str


def lies_elsewhere(text: str) -> bool:
    """Whether a picture is named by a URL, of whatever scheme, and has to be fetched."""
    return bool(_URL.match(text))


def named_picture(field: str, text: str) -> bytes | AssetId:
    """The picture that `field` of a request holds or names, unless it lies elsewhere. Raises: InvalidField."""
    if _ASSET_ID.fullmatch(text):
        return AssetId(text)
    return _decoded(field, text)


def _decoded(field: str, text: str) -> bytes:
    """Line breaks are fine, as `base64` of coreutils makes them."""
    head = _DATA_URL.match(text)
    body = text[head.end() :] if head else text
    try:
        data = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidField(field, "neither base64, a data: URL of base64, the id of an asset, nor a URL") from None
    if not data:
        raise InvalidField(field, "holds no bytes")
    return data
