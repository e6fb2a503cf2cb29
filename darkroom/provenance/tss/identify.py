"""Reading the mark, cheapest way first: as it was made, then turned or stretched, then searched for.

Each way has its gate (`gates`): what does not stand out by so much is not decoded.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from darkroom.provenance.placement import Placement
from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.gates import LOWEST, Gates
from darkroom.provenance.tss.luma import Luma, beginning, scaled
from darkroom.provenance.tss.reading import Found, Look, read_whole
from darkroom.provenance.tss.search import search
from darkroom.provenance.tss.tiling import possible_tiles

SECOND_LOOK_SIDE: Final = 320
MOST_OBLONG: Final = 16  # beyond so many times as long as wide, the rest is not looked at
SECOND_LOOK_OBLONG: Final = 4
ASPECTS: Final = (1.0, 4 / 3, 3 / 4, 3 / 2, 2 / 3, 16 / 9, 9 / 16, 9 / 7, 7 / 9, 19 / 13, 13 / 19)


def identify_uncropped(grey: Luma, carriers: Sequence[Carrier], gates: Gates = LOWEST) -> Found | None:
    """The mark of a picture that was not cropped or turned, at any size. A few milliseconds."""
    for tiles in possible_tiles(min(grey.shape)):
        found = read_whole(Look(beginning(grey, MOST_OBLONG), tiles, Placement()), carriers, gates.direct)
        if found:
            return found
    return None


def identify(grey: Luma, carriers: Sequence[Carrier], gates: Gates = LOWEST) -> Found | None:
    """Everything the mark promises to survive. A few tenths of a second when there is none.

    More carriers cost little: all that they share is done once. `gates` are those for as many epochs as they are of.
    """
    return (
        identify_uncropped(grey, carriers, gates)
        or _second_look(grey, carriers, gates.second_look)
        or search(grey, carriers, gates.search)
    )


def _second_look(grey: Luma, carriers: Sequence[Carrier], gate: float) -> Found | None:
    """The other seven orientations, and stretching back to the shapes that generators make. One look each."""
    small = scaled(grey, min(1.0, SECOND_LOOK_SIDE / min(grey.shape)))
    for placement in _placements(small.shape[0] / small.shape[1]):
        upright = beginning(placement.upright(small).astype(np.float32), SECOND_LOOK_OBLONG)
        for tiles in possible_tiles(min(grey.shape))[:2]:
            found = read_whole(Look(upright, tiles, placement), carriers, gate)
            if found:
                return found
    return None


def _placements(height_by_width: float) -> Iterator[Placement]:
    for mirrored in (False, True):
        for turns in range(4):
            if turns or mirrored:
                yield Placement(quarter_turns=turns, mirrored=mirrored)
    for aspect in ASPECTS:
        if abs(np.log(aspect * height_by_width)) > 0.01:
            yield Placement(aspect=aspect)
