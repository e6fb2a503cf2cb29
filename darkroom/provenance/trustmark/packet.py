"""TrustMark's 100 bits in its BCH_5 schema: 61 of data, 35 that correct five wrong bits, 4 that name the schema.

The data are a 48-bit id and 13 bits of its HMAC: the code alone takes random bits for a message once in 500.
"""

import hmac
import re
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.trustmark.bch import Bch

PACKET_BITS: Final = 100
ID_BITS: Final = 48
PROOF_BITS: Final = 13
_DATA_BITS: Final = ID_BITS + PROOF_BITS
_PAD_BITS: Final = -_DATA_BITS % 8  # TrustMark's code runs over whole bytes; what fills the last one is not sent
_SCHEMA_BITS: Final = 4
_SCHEMA: Final = 1
_READ_SCHEMA: Final = 0b11  # TrustMark's readers look at the last two bits alone
_CODE: Final = Bch(errors=5)
_TEXT: Final = re.compile(rf"{_SCHEMA}\*([01]{{{_DATA_BITS}}})")


def pack(mark_id: int, key: bytes) -> NDArray[np.uint8]:
    """The 100 bits of an id, the first first. Raises: ValueError for an id that is not of 48 bits."""
    data = _data(mark_id, key)
    check = _CODE.encode(data << _PAD_BITS) & _ones(_CODE.check_bits)
    packet = (data << _CODE.check_bits | check) << _SCHEMA_BITS | _SCHEMA
    return np.array([int(bit) for bit in f"{packet:0{PACKET_BITS}b}"], np.uint8)


def unpack(bits: NDArray[np.uint8], key: bytes) -> int | None:
    """The id in 100 bits, or None: another schema, too many wrong bits, or the mark of another key."""
    packet = int("".join(str(int(bit)) for bit in bits), 2)
    if packet & _READ_SCHEMA != _SCHEMA:
        return None
    sent = packet >> _SCHEMA_BITS
    data, check = sent >> _CODE.check_bits, sent & _ones(_CODE.check_bits)
    word = _CODE.correct(data << _PAD_BITS + _CODE.check_bits | check)
    return None if word is None else _proven(word >> _CODE.check_bits, key)


def text_of(mark_id: int, key: bytes) -> str:
    """The packet's data as TrustMark's own tools write them into soft bindings: the schema's number, a star, the bits.

    So do `js/tm_datalayer.js` and `c2pa/c2pa_watermark_example.py` of github.com/adobe/trustmark, and Adobe's products.
    Raises: ValueError for an id that is not of 48 bits.
    """
    return f"{_SCHEMA}*{_data(mark_id, key):0{_DATA_BITS}b}"


def id_in(text: str) -> int | None:
    """The id in what `text_of` made, whatever the key; None for any other text."""
    found = _TEXT.fullmatch(text)
    return int(found[1], 2) >> PROOF_BITS if found else None


def _data(mark_id: int, key: bytes) -> int:
    if not 0 <= mark_id < 1 << ID_BITS:
        raise ValueError("a mark id has 48 bits")
    return mark_id << PROOF_BITS | _proof(mark_id, key)


def _proven(message: int, key: bytes) -> int | None:
    if message >> _PAD_BITS + _DATA_BITS or message & _ones(_PAD_BITS):
        return None  # the nearest word differs where nothing was sent
    data = message >> _PAD_BITS
    mark_id = data >> PROOF_BITS
    return mark_id if data & _ones(PROOF_BITS) == _proof(mark_id, key) else None


def _proof(mark_id: int, key: bytes) -> int:
    digest = hmac.digest(key, b"trustmark" + mark_id.to_bytes(ID_BITS // 8, "big"), sha256)
    return int.from_bytes(digest[:2], "big") >> 16 - PROOF_BITS


def _ones(count: int) -> int:
    return (1 << count) - 1
