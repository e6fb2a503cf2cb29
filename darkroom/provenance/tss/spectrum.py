"""What a folded tile says: where the tile begins, how sure that is, and the soft value of each coded bit."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.tss.carrier import TILE, Carrier
from darkroom.provenance.tss.luma import Luma
from darkroom.provenance.tss.message import CODED_BITS
from darkroom.provenance.tss.tiling import fold

Harmonics = NDArray[np.complex128]
Shift = tuple[int, int]

_RINGS: Final = 64
_RING_SMOOTHING: Final = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


def harmonics(residual_HW: Luma, carrier: Carrier) -> Harmonics:
    """The carrier's harmonics of the folded residual, each divided by the root power of its ring."""
    values = np.fft.fft2(fold(residual_HW))[carrier.rows_n, carrier.columns_n]
    ring = carrier.radius_n.astype(np.intp)
    power = np.bincount(ring, np.abs(values) ** 2, _RINGS) / np.maximum(np.bincount(ring, minlength=_RINGS), 1)
    smooth = np.convolve(np.pad(power, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    return values / np.sqrt(smooth[ring] + 1e-9)


def sync_at_origin(values: Harmonics, carrier: Carrier) -> float:
    """Correlation with the sync pattern where the tile begins at 0, 0; in deviations of unmarked pictures."""
    sync = carrier.sync_n
    return float((values[sync] * np.conj(carrier.phases_n[sync])).real.sum() * np.sqrt(2 / sync.sum()))


def best_sync(values: Harmonics, carrier: Carrier) -> tuple[float, Shift]:
    """The same for every possible beginning of the tile; the best, and where it lies (down, right)."""
    sync = carrier.sync_n
    product = np.zeros((TILE, TILE), np.complex128)
    product[carrier.rows_n[sync], carrier.columns_n[sync]] = values[sync] * np.conj(carrier.phases_n[sync])
    correlation = np.fft.ifft2(product).real * (TILE * TILE * np.sqrt(2 / sync.sum()))
    peak = int(np.argmax(correlation))
    return float(correlation.flat[peak]), (peak // TILE, peak % TILE)


def soft_bits(values: Harmonics, carrier: Carrier, shift: Shift = (0, 0)) -> NDArray[np.float64]:
    """Log-likelihood-like value of each coded bit, positive for 0."""
    turns = np.exp(2j * np.pi * (np.array(shift) @ carrier.frequencies_2n) / TILE)
    agreement = (values * turns * np.conj(carrier.phases_n)).real
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
