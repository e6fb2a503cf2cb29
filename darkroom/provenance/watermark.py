"""What a watermark must do, and the one that does nothing."""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.provenance.placement import Placement

RGB = NDArray[np.uint8]  # H x W x 3, 0..255
UNMARKED: Final = "none"


@dataclass(frozen=True)
class Mark:
    """A mark that was read. `strength` is in standard deviations of unmarked pictures; it is never shown to callers."""

    mark_id: int
    strength: float
    placement: Placement = field(default_factory=Placement)


class Watermarker(Protocol):
    """An invisible mark that carries a 48-bit id. Implementations are shared between threads and inherited by fork."""

    @property
    def alg(self) -> str:
        """Its name in C2PA soft bindings; `none` for no mark."""
        ...

    @property
    def key_id(self) -> str:
        """Names the secret it marks with, without telling it."""
        ...

    def embed(self, rgb_HWC: RGB, mark_id: int) -> RGB:
        """The picture with the mark in it. Raises: UnmarkedOutput when it does not read back."""
        ...

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        """The mark in a picture, or None."""
        ...


class NoWatermarker:
    """For development: marks nothing, finds nothing, and pictures made with it bear no soft binding."""

    alg: Final = UNMARKED
    key_id: Final = UNMARKED

    def embed(self, rgb_HWC: RGB, mark_id: int) -> RGB:
        return rgb_HWC

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        return None
