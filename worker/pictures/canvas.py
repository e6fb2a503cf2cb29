"""What a generation finds on its canvas before the first step."""

from dataclasses import dataclass

from darkroom.contract.start import MaskedContent
from darkroom.inputs.mask import Mask
from darkroom.inputs.normal import Pixels
from worker.pictures.overlay import Overlay, close_up


@dataclass(frozen=True, eq=False)
class Blank:
    """Nothing."""

    def finished(self, made_HW3: Pixels) -> Pixels:
        """The picture to hand out, of what was decoded."""
        return made_HW3

    def close_ups(self, finished_HW3: Pixels) -> tuple[Pixels, ...]:
        """Parts of it that are lost in it when it is made small."""
        return ()


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture of the plan's size, to be drawn over everywhere."""

    rgb_HW3: Pixels

    def finished(self, made_HW3: Pixels) -> Pixels:
        return made_HW3

    def close_ups(self, finished_HW3: Pixels) -> tuple[Pixels, ...]:
        return ()


@dataclass(frozen=True, eq=False)
class Masked:
    """A picture of the plan's size, to be made anew where `mask_HW` is True, starting there from `content`."""

    rgb_HW3: Pixels
    mask_HW: Mask
    content: MaskedContent
    overlay: Overlay

    def finished(self, made_HW3: Pixels) -> Pixels:
        return self.overlay.over(made_HW3)

    def close_ups(self, finished_HW3: Pixels) -> tuple[Pixels, ...]:
        return close_up(finished_HW3, self.overlay.seen)


Canvas = Blank | Drawn | Masked

BLANK = Blank()
