"""Those who want a mark gone, or on another picture, and have nothing but marked pictures.

Averaging: Yang and others, "Can Simple Averaging Defeat Modern Watermarks?", arXiv 2406.09026, told here that tiles
repeat four times across. Copying: Kutter, Voloshynovskiy and Herrigel, "The Watermark Copy Attack", SPIE 3971, 2000.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.marking.attacks import RGB
from darkroom.provenance.similarity import likeness, thumbnail, upright_view
from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.identify import identify
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.tss.self_check import faintest

TILES = 4
SUBTRACTED = 40.0  # dB: hardly to be seen
COPIED = 1.5  # times as strong as what denoising took away


class Copies(NamedTuple):
    """In how many of the pictures that a mark was copied to it is read, and how alike these are to those it is of."""

    read: float
    likeness_most: float


def marked_by(hosts: Sequence[RGB], carriers: Sequence[Carrier]) -> list[RGB]:
    """Each with its own id, the carriers taking turns."""
    return [faintest(host, index, carriers[index % len(carriers)]).rgb_HWC for index, host in enumerate(hosts)]


def left_after_averaging(marked: Sequence[RGB], count: int, carriers: Sequence[Carrier]) -> float:
    """What share still reads of pictures from which the mean tile of `count` others is subtracted."""
    period = marked[0].shape[0] // TILES
    blocks = np.mean([_detail(picture) for picture in marked[:count]], 0).reshape(TILES, period, TILES, period)
    tile = blocks.mean((0, 2))
    wave = np.tile(tile / tile.std() * 255 / 10 ** (SUBTRACTED / 20), (TILES, TILES))[..., None]
    victims = list(enumerate(marked))[count:]
    return float(np.mean([_reads(_rounded(picture - wave), index, carriers) for index, picture in victims]))


def copied(marked: Sequence[RGB], hosts: Sequence[RGB], carriers: Sequence[Carrier]) -> Copies:
    """What denoising takes from each marked picture is added to another that bears no mark."""
    alike = []
    for index, picture in enumerate(marked):
        clean = cv2.fastNlMeansDenoisingColored(picture, None, 4, 4, 7, 15)
        noise = (picture.astype(np.float32) - clean).mean(2, keepdims=True)
        forged = _rounded(hosts[(index + 7) % len(hosts)] + COPIED * noise)
        found = identify(luma(forged), carriers)
        if found and found.mark.mark_id == index:
            alike.append(likeness(upright_view(forged, found.mark.placement), thumbnail(picture)))
    return Copies(len(alike) / len(marked), max(alike, default=0.0))


def _detail(rgb_HWC: RGB) -> NDArray[np.float32]:
    grey = luma(rgb_HWC)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 2)
    return np.asarray(detail / (np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 8)) + 1))


def _reads(rgb_HWC: RGB, mark_id: int, carriers: Sequence[Carrier]) -> bool:
    found = identify(luma(rgb_HWC), carriers)
    return found is not None and found.mark.mark_id == mark_id


def _rounded(picture: NDArray[np.floating]) -> RGB:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
