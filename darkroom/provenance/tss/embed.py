"""Writing the mark: the tile, spread over the picture, shaped by what the eye forgives and the host destroys."""

from typing import Final

import cv2
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
    return add(rgb_HWC, wave(rgb_HWC, mark_id, carrier, psnr), psnr)


def wave(rgb_HWC: RGB, mark_id: int, carrier: Carrier, psnr: float) -> Luma:
    """What `add` adds at any strength, of unit deviation. Fitted to how the picture, marked at `psnr`, reads."""
    grey = luma(rgb_HWC)
    mask, coded = masking(grey), encode(pack(mark_id, carrier.scramble))
    gains = np.ones(CODED_BITS)
    for _ in range(ROUNDS):
        marked = add(rgb_HWC, _shaped(carrier, coded, gains, mask), psnr)
        gains = _towards_weak_bits(gains, _margins(marked, carrier, coded))
    return _shaped(carrier, coded, gains, mask)


def add(rgb_HWC: RGB, unit_wave: Luma, psnr: float) -> RGB:
    """The picture with the wave at this strength in dB, each channel moved alike and clipped at black and white."""
    change_HW = np.rint(unit_wave * np.float32(255 / 10 ** (psnr / 20))).astype(np.int16)
    return np.asarray(cv2.add(rgb_HWC, cv2.merge([change_HW] * 3), dtype=cv2.CV_8U))


def _shaped(carrier: Carrier, coded: NDArray[np.uint8], gains: NDArray[np.float64], mask: Luma) -> Luma:
    shaped = spread(tile(carrier, coded, gains), *mask.shape) * mask
    shaped -= shaped.mean()
    return np.asarray(shaped / np.sqrt(np.mean(shaped * shaped)))


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
