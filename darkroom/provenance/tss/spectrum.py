"""What a folded tile says: where the tile begins, how sure that is, and the soft value of each coded bit.

Z is the number of looks at a picture. What costs time, folding and transforming, needs no secret and is done once for
all of them; only the correlation is done again for each.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.tss.carrier import TILE, Carrier, half_plane
from darkroom.provenance.tss.luma import Luma
from darkroom.provenance.tss.message import CODED_BITS
from darkroom.provenance.tss.tiling import fold

Harmonics = NDArray[np.complexfloating]
Shift = tuple[int, int]

_RINGS: Final = 64
_RING_SMOOTHING: Final = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


def harmonics(residual_HW: Luma) -> Harmonics:
    """The n harmonics of the folded residual, each divided by the root power of its ring."""
    return np.asarray(spectra([residual_HW])[0])


def spectra(residuals: Iterable[Luma]) -> Harmonics:
    """The same of several looks, Z x n."""
    rows_n, columns_n, radius_n = half_plane()
    folded_ZTT = np.stack([fold(residual_HW) for residual_HW in residuals])
    values_Zn = np.fft.fft2(folded_ZTT)[:, rows_n, columns_n]
    power_ZR = (values_Zn.real**2 + values_Zn.imag**2) @ _smoothed_mean_of_rings()
    return np.asarray(values_Zn / np.sqrt(power_ZR + np.float32(1e-9))[:, radius_n.astype(np.intp)])


@cache
def _smoothed_mean_of_rings() -> NDArray[np.float32]:
    """n x R: takes the power of the harmonics to the mean of each ring, smoothed over its neighbours."""
    ring_n = half_plane()[2].astype(np.intp)
    mean_nR = np.eye(_RINGS)[ring_n] / np.maximum(np.bincount(ring_n, minlength=_RINGS), 1)
    edged = np.pad(mean_nR, ((0, 0), (1, 1)), mode="edge")
    return (0.25 * edged[:, :-2] + 0.5 * edged[:, 1:-1] + 0.25 * edged[:, 2:]).astype(np.float32)


def sync_at_origin(values_n: Harmonics, carrier: Carrier) -> float:
    """Correlation with the sync pattern where the tile begins at 0, 0; in deviations of unmarked pictures."""
    sync = carrier.sync_n
    return float((values_n[sync] * np.conj(carrier.phases_n[sync])).real.sum() * np.sqrt(2 / sync.sum()))


class Peaks(NamedTuple):
    """Of each look: the best correlation, and where its tile begins (rows down * TILE + columns right)."""

    strength_Z: NDArray[np.floating]
    place_Z: NDArray[np.intp]

    def shift(self, look: int) -> Shift:
        return int(self.place_Z[look]) // TILE, int(self.place_Z[look]) % TILE


def best_sync(values_Zn: Harmonics, carrier: Carrier) -> Peaks:
    """The correlation of `sync_at_origin` for every possible beginning of the tile; the best of each look."""
    sync = carrier.sync_n
    rows, columns = carrier.rows_n[sync], carrier.columns_n[sync]
    agreed_Zs = values_Zn[:, sync] * np.conj(carrier.phases_n[sync]).astype(np.complex64)
    left = columns > TILE // 2  # a real transform holds the right half alone: there, these are their conjugates
    agreed_Zs[:, left] = np.conj(agreed_Zs[:, left])
    agreed_Zs[:, columns == 0] *= 2  # in the column that is its own mirror image the other half is left out
    half_ZTH = np.zeros((len(values_Zn), TILE, TILE // 2 + 1), np.complex64)
    half_ZTH[:, np.where(left, -rows % TILE, rows), np.where(left, TILE - columns, columns)] = agreed_Zs
    correlation_Zt = np.fft.irfft2(half_ZTH, (TILE, TILE)).reshape(len(values_Zn), -1)
    place_Z = np.argmax(correlation_Zt, axis=1)
    strength_Z = correlation_Zt[np.arange(len(place_Z)), place_Z] * (TILE * TILE / 2 * np.sqrt(2 / sync.sum()))
    return Peaks(strength_Z, place_Z)


def soft_bits(values_n: Harmonics, carrier: Carrier, shift: Shift = (0, 0)) -> NDArray[np.float64]:
    """Log-likelihood-like value of each coded bit, positive for 0."""
    turns = np.exp(2j * np.pi * (np.array(shift) @ carrier.frequencies_2n) / TILE)
    agreement = (values_n * turns * np.conj(carrier.phases_n)).real
    weighted = agreement * _reliability(agreement, carrier)
    data = ~carrier.sync_n
    return np.asarray(np.bincount(carrier.bit_n[data], weighted[data], CODED_BITS), np.float64)


def _reliability(agreement: NDArray[np.float64], carrier: Carrier) -> NDArray[np.float64]:
    """How much of the mark is left at each radius, learned from the known harmonics: a blur kills the outer rings."""
    sync, ring = carrier.sync_n, carrier.radius_n.astype(np.intp)
    agreed = np.convolve(np.bincount(ring[sync], agreement[sync], _RINGS), _RING_SMOOTHING, "same")
    known = np.convolve(np.bincount(ring[sync], minlength=_RINGS), _RING_SMOOTHING, "same")
    correlation = np.clip(agreed / np.maximum(known, 1), 0, 0.98)
    if correlation.max() <= 0:
        return np.ones_like(agreement)
    return np.asarray((correlation / (1 - correlation**2 + 0.05))[ring])
