"""What a watermark must do, and the one that does nothing."""

import base64
import math
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.placement import Placement

RGB = NDArray[np.uint8]  # H x W x 3, 0..255
UNMARKED: Final = "none"
MARK_BYTES: Final = 6  # of the id that a mark carries


@dataclass(frozen=True)
class Mark:
    """A mark that was read. `strength` is in standard deviations of unmarked pictures; it is never shown to callers.
    `key_id` names the key that reads it, `alg` the watermark; "" for the only one there is."""

    mark_id: int
    strength: float
    placement: Placement = field(default_factory=Placement)
    key_id: str = ""
    alg: str = ""


def mark_value(mark_id: int) -> str:
    """An id as our own soft bindings hold it: MARK_BYTES in base64, since JSON cannot say the byte string of the CDDL,
    and c2pa's own samples write text."""
    return base64.b64encode(mark_id.to_bytes(MARK_BYTES, "big")).decode()


@dataclass(frozen=True)
class Embedded:
    """A picture with its mark. `psnr_db` is the mark's before clipping, infinite where there is none. `weak` where the
    mark does not survive all it should, or is louder than it should be. `key_id` names the key that marked it."""

    rgb_HWC: RGB
    psnr_db: float
    weak: bool
    key_id: str


class Watermarker(Protocol):
    """An invisible mark that carries a 48-bit id. Implementations are shared between threads and inherited by fork."""

    @property
    def alg(self) -> str:
        """Its name in C2PA soft bindings; `none` for no mark."""
        ...

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        """The picture with the mark in it. Raises: UnmarkedOutput when it does not read back."""
        ...

    def value(self, mark_id: int) -> str:
        """What soft bindings say of the mark that `embed` makes."""
        ...

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        """The mark in a picture, or None."""
        ...


class NoWatermarker:
    """For development: marks nothing, finds nothing, and pictures made with it bear no soft binding."""

    alg: Final = UNMARKED

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        return Embedded(rgb_HWC, math.inf, weak=False, key_id=UNMARKED)

    def value(self, mark_id: int) -> str:
        return ""

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        return None
