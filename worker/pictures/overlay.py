"""What was made, laid over what was there. Decoding alone would change every pixel a little."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom.contract.start import Box
from darkroom.inputs.mask import Mask
from darkroom.inputs.normal import Pixels
from worker.pictures.scaling import scaled

Number = TypeVar("Number", bound=np.generic)
Share = NDArray[np.float32]  # H W, 0..1: how much of the new picture shows


@dataclass(frozen=True, eq=False)
class Overlay:
    """`share_HW` is of the size of `seen`, the part of `original_HW3` that was made anew."""

    original_HW3: Pixels
    share_HW: Share
    seen: Box

    def over(self, made_HW3: Pixels) -> Pixels:
        """The original, with what was made in the part that was seen. Where its share is 0, not a bit changes."""
        share_HW1 = self.share_HW[..., None]
        fresh_HW3 = scaled(made_HW3, (self.seen.width, self.seen.height))
        finished_HW3 = self.original_HW3.copy()
        part_HW3 = cut(finished_HW3, self.seen)
        part_HW3[:] = np.rint(part_HW3 * (1 - share_HW1) + fresh_HW3 * share_HW1)
        return finished_HW3


def cut(pixels: NDArray[Number], box: Box) -> NDArray[Number]:
    """A view on the part of `pixels` in `box`."""
    return pixels[box.top : box.top + box.height, box.left : box.left + box.width]


def close_up(pixels_HW3: Pixels, part: Box) -> tuple[Pixels, ...]:
    """`part` by itself, where it is not all there is."""
    if (part.height, part.width) == pixels_HW3.shape[:2]:
        return ()
    return (np.ascontiguousarray(cut(pixels_HW3, part)),)


def feathered(mask_HW: Mask, pixels: int) -> Share:
    """1 deep inside the mask, falling to 0 over the last `pixels` before its edge; 0 outside.

    The fall lies inside the mask alone: what was not masked stays. In a mask too narrow for it, its middle is still 1.
    """
    if mask_HW.all():
        return np.ones(mask_HW.shape, np.float32)
    depth_HW = cv2.distanceTransform(mask_HW.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    fall = min(pixels + 1.0, float(depth_HW.max()))
    return np.asarray(np.minimum(depth_HW / fall, 1.0), np.float32)
