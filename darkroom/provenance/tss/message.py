"""The message a mark carries: a 48-bit id and its CRC-16, scrambled by the key so that no id gives a plain pattern."""

import binascii
from typing import Final

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.tss.convolutional_code import RATE

ID_BITS: Final = 48
CRC_BITS: Final = 16
MESSAGE_BITS: Final = ID_BITS + CRC_BITS
CODED_BITS: Final = MESSAGE_BITS * RATE
_ID_BYTES: Final = ID_BITS // 8


def pack(mark_id: int, scramble: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Message bits of an id. Raises: ValueError for an id that is not of 48 bits."""
    if not 0 <= mark_id < 1 << ID_BITS:
        raise ValueError("a mark id has 48 bits")
    data = mark_id.to_bytes(_ID_BYTES, "big")
    checked = data + _crc(data).to_bytes(CRC_BITS // 8, "big")
    return np.unpackbits(np.frombuffer(checked, np.uint8)) ^ scramble


def unpack(message: NDArray[np.uint8], scramble: NDArray[np.uint8]) -> int | None:
    """The id, or None when the CRC says that these bits are no message."""
    checked = np.packbits(message ^ scramble).tobytes()
    data, crc = checked[:_ID_BYTES], int.from_bytes(checked[_ID_BYTES:], "big")
    return int.from_bytes(data, "big") if _crc(data) == crc else None


def _crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF."""
    return binascii.crc_hqx(data, 0xFFFF)
