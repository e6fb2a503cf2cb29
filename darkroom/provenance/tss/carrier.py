"""What the secret decides: which Fourier harmonics of the tile carry which coded bit, and with which phases."""

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.tss.message import CODED_BITS, MESSAGE_BITS

TILE: Final = 64  # samples along one side of the tile
MIN_RADIUS: Final = 4  # harmonics below compete with the picture's own shapes
MAX_RADIUS: Final = 28  # harmonics above do not live through JPEG
SYNC_EVERY: Final = 4  # one harmonic in four is a known pattern: it finds the offset and measures what is left
SYNC: Final = -1


@dataclass(frozen=True, eq=False)
class Carrier:
    """n harmonics of one half plane (the other half is their conjugate); `bit_n` is SYNC or the coded bit carried."""

    rows_n: NDArray[np.intp]
    columns_n: NDArray[np.intp]
    radius_n: NDArray[np.float64]
    phases_n: NDArray[np.complex128]
    bit_n: NDArray[np.intp]
    scramble: NDArray[np.uint8]

    @cached_property
    def sync_n(self) -> NDArray[np.bool_]:
        return np.asarray(self.bit_n == SYNC)

    @cached_property
    def frequencies_2n(self) -> NDArray[np.float64]:
        """Signed vertical and horizontal frequency of each harmonic, in periods per tile."""
        signed = np.fft.fftfreq(TILE, 1 / TILE)
        return np.stack([signed[self.rows_n], signed[self.columns_n]])


def carrier(secret: bytes) -> Carrier:
    """The carrier of a secret. Drawn from SHAKE-256, so that no version of any library changes it."""
    stream = _Stream(hashlib.shake_256(b"org.darkroom.tss.1/carrier\0" + secret).digest(1 << 16))
    rows_n, columns_n, radius_n = half_plane()
    phases_n = np.exp(2j * np.pi * stream.draw(len(rows_n)) / 2**32)
    bit_n = _assign_bits(radius_n, stream)
    scramble = (stream.draw(MESSAGE_BITS) & 1).astype(np.uint8)
    return Carrier(rows_n, columns_n, radius_n, phases_n, bit_n, scramble)


class _Stream:
    """32-bit draws from key-derived bytes."""

    def __init__(self, data: bytes) -> None:
        self._words = np.frombuffer(data, "<u4")
        self._used = 0

    def draw(self, count: int) -> NDArray[np.int64]:
        self._used += count
        if self._used > len(self._words):
            raise ValueError("the key stream is too short")
        return self._words[self._used - count : self._used].astype(np.int64)

    def permutation(self, count: int) -> NDArray[np.intp]:
        return np.argsort(self.draw(count), kind="stable")


@cache
def half_plane() -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows, columns and radii of the n harmonics: the same for every secret."""
    signed = np.fft.fftfreq(TILE, 1 / TILE)
    vertical, horizontal = np.meshgrid(signed, signed, indexing="ij")
    radius = np.sqrt(vertical**2 + horizontal**2)  # exact to the last bit everywhere, as hypot is not: ties stay ties
    half = (vertical > 0) | ((vertical == 0) & (horizontal > 0))
    rows_n, columns_n = np.nonzero(half & (radius >= MIN_RADIUS) & (radius <= MAX_RADIUS))
    return rows_n, columns_n, radius[rows_n, columns_n]


def _assign_bits(radius_n: NDArray[np.float64], stream: _Stream) -> NDArray[np.intp]:
    """Deal harmonics out from the innermost, so that each coded bit and the sync own some at every radius."""
    inner_first = np.lexsort((stream.draw(len(radius_n)), radius_n))
    data = np.delete(inner_first, np.s_[::SYNC_EVERY])
    rounds = -(-len(data) // CODED_BITS)
    dealt = np.concatenate([stream.permutation(CODED_BITS) for _ in range(rounds)])
    bit_n = np.full(len(radius_n), SYNC, np.intp)
    bit_n[data] = dealt[: len(data)]
    return bit_n
