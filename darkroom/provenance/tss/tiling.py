"""From the tile to the picture and back: the mark repeats, so every crop holds whole tiles, and noise averages out."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.tss.carrier import TILE, Carrier
from darkroom.provenance.tss.luma import Luma, scaled

MIN_PERIOD: Final = 12  # pixels; a smaller tile has lost all its harmonics
_WRAP: Final = 8  # margin for the interpolation kernel


def tiles_across(short_side: int) -> int:
    """Tiles along the shorter side of a picture as it was marked."""
    if short_side >= 384:
        return 4
    return 2 if short_side >= 160 else 1


def possible_tiles(short_side: int) -> tuple[int, ...]:
    """Tiles that may lie across a picture which has been resized since, likeliest first."""
    natural = tiles_across(short_side)
    rest = [tiles for tiles in (4, 2, 1) if tiles != natural and short_side / tiles >= MIN_PERIOD]
    return (natural, *rest)


def tile(carrier: Carrier, coded: NDArray[np.uint8], gains: NDArray[np.float64]) -> Luma:
    """One period of the mark, TILE x TILE, unit deviation. `gains` weighs each coded bit."""
    signs = np.append((1.0 - 2.0 * coded) * gains, 1.0)  # index -1 is SYNC
    half = np.zeros((TILE, TILE), np.complex128)
    half[carrier.rows_n, carrier.columns_n] = carrier.phases_n * signs[carrier.bit_n]
    mirrored = np.conj(np.roll(half[::-1, ::-1], (1, 1), (0, 1)))
    wave = np.fft.ifft2(half + mirrored).real
    return np.asarray(wave / wave.std(), np.float32)


def spread(one_tile: Luma, height: int, width: int) -> Luma:
    """The tile repeated over a picture of this size."""
    period = min(height, width) / tiles_across(min(height, width))
    margin = np.pad(one_tile, _WRAP, mode="wrap")
    if period < 0.87 * TILE:  # the tile is finer than the pixels: band-limit it first
        margin = np.asarray(cv2.GaussianBlur(margin, (0, 0), 0.35 * TILE / period), np.float32)
    x, y = (((np.arange(side) + 0.5) / period * TILE - 0.5) % TILE + _WRAP for side in (width, height))
    map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(margin, map_x, map_y, cv2.INTER_CUBIC), np.float32)


def whiten(luma_HW: Luma) -> Luma:
    """Take the picture out of the picture: high-pass, divided by local deviation, clipped."""
    detail = luma_HW - cv2.GaussianBlur(luma_HW, (0, 0), 4)
    deviation = np.sqrt(np.maximum(cv2.blur(detail * detail, (9, 9)), 0))
    return np.clip(detail / (deviation + 1.5), -2.5, 2.5).astype(np.float32)


def residual(luma_HW: Luma, period: float) -> Luma:
    """Whitened picture in which a tile of `period` pixels has TILE samples."""
    return whiten(scaled(luma_HW, TILE / period))


def fold(residual_HW: Luma) -> Luma:
    """Sum of all tiles over the square root of their number: noise keeps unit deviation, the mark grows."""
    height, width = residual_HW.shape
    down, across = -(-height // TILE), -(-width // TILE)
    padding = ((0, down * TILE - height), (0, across * TILE - width))
    total = np.pad(residual_HW, padding).reshape(down, TILE, across, TILE).sum(0).sum(1)
    return np.asarray(total / np.outer(_root_count(height), _root_count(width)), np.float32)


def _root_count(side: int) -> Luma:
    """Square root of how many samples of a side fall on each place in the tile; where none do, one of nothing."""
    return np.sqrt(np.maximum(np.bincount(np.arange(side) % TILE, minlength=TILE), 1)).astype(np.float32)
