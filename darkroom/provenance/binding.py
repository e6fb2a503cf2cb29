"""Values of soft bindings: which of our ids they name. Watermarkers say how they are written."""

import base64
import binascii
from typing import Final

from darkroom.provenance.trustmark.packet import id_in
from darkroom.provenance.watermark import MARK_BYTES

TRUSTMARK: Final = "com.adobe.trustmark."


def bound_id(alg: str, value: str) -> int | None:
    """The id of a mark in a soft binding of this algorithm; None for a value that is none of ours.

    It is base64 of the id's bytes. Of TrustMark it is the text of its own tools, or as the Soft Binding Resolution API
    has all values, that in base64; before there was text, it was the id's bytes too.
    """
    if alg.startswith(TRUSTMARK) and (mark_id := id_in(value)) is not None:
        return mark_id
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) == MARK_BYTES:
        return int.from_bytes(data, "big")
    return id_in(data.decode("latin-1")) if alg.startswith(TRUSTMARK) else None
