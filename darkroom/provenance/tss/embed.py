"""Writing the mark: the tile, spread over the picture, shaped by what the eye forgives and the host destroys."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.convolutional_code import encode
from darkroom.provenance.tss.luma import Luma, luma, masking
from darkroom.provenance.tss.message import CODED_BITS, pack
from darkroom.provenance.tss.spectrum import harmonics, soft_bits
from darkroom.provenance.tss.tiling import residual, spread, tile, tiles_across
from darkroom.provenance.watermark import RGB

ROUNDS: Final = 2  # looks at the marked picture, after which energy moves to weak bits


def embed(rgb_HWC: RGB, mark_id: int, carrier: Carrier, psnr: float) -> RGB:
    """The marked picture. `psnr` in dB is that of the mark before clipping at black and white."""
    grey = luma(rgb_HWC)
    mask, coded = masking(grey), encode(pack(mark_id, carrier.scramble))
    gains = np.ones(CODED_BITS)
    for _ in range(ROUNDS):
        marked = _add(rgb_HWC, _wave(carrier, coded, gains, mask, psnr))
        gains = _towards_weak_bits(gains, _margins(marked, carrier, coded))
    return _add(rgb_HWC, _wave(carrier, coded, gains, mask, psnr))


def _wave(carrier: Carrier, coded: NDArray[np.uint8], gains: NDArray[np.float64], mask: Luma, psnr: float) -> Luma:
    wave = spread(tile(carrier, coded, gains), *mask.shape) * mask
    wave -= wave.mean()
    deviation = 255 / 10 ** (psnr / 20)
    return np.asarray(wave * np.float32(deviation / np.sqrt(np.mean(wave * wave))))


def _add(rgb_HWC: RGB, wave: Luma) -> RGB:
    return np.asarray(np.rint(np.clip(rgb_HWC + wave[..., None], 0, 255)), np.uint8)


def _margins(marked: RGB, carrier: Carrier, coded: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far each coded bit reads on its right side; negative when it reads wrong."""
    short = min(marked.shape[:2])
    seen = harmonics(residual(luma(marked), short / tiles_across(short)))
    return soft_bits(seen, carrier) * (1.0 - 2.0 * coded)


def _towards_weak_bits(gains: NDArray[np.float64], margins: NDArray[np.float64]) -> NDArray[np.float64]:
    typical = np.median(margins)
    deficit = (typical - margins) / (np.median(np.abs(margins)) + 1e-9)
    moved = gains * np.clip(1 + 0.5 * deficit, 0.6, 1.8)
    return np.asarray(moved / np.sqrt(np.mean(moved**2)))
