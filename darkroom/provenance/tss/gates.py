"""How far a mark must stand out before it is decoded, and how often chance alone reads one.

Gates are on the sync correlation, which in unmarked pictures is normal with a deviation of one. Behind every gate
stands the CRC-16. The more epochs' keys are tried, the higher the gates (Bonferroni), so that all ways of reading with
all keys stay within one chance. The eight keys of an epoch count once: seven of eight ids that chance reads name
another key than the one that read them.

The chance is dealt out unevenly. A mark that can be decoded stands out by 3.9 at least where it is read directly, so
that gate rises at no cost; in the search marks are found down to 6.0, so the search is given most of it.
"""

from dataclasses import astuple, dataclass
from statistics import NormalDist
from typing import Final

from darkroom.provenance.tss.carrier import TILE
from darkroom.provenance.tss.message import CRC_BITS

MOST_BY_CHANCE: Final = 3.5e-7  # of unmarked pictures, read as marked
DIRECT_LOOKS: Final = 3  # the most that one picture is given
SECOND_LOOKS: Final = 36
SEARCHED_LOOKS: Final = 1150  # at each, the best of TILE x TILE places counts


@dataclass(frozen=True)
class Gates:
    """Standard deviations of unmarked pictures. As low as they ever are: by these a mark is made strong enough."""

    direct: float = 2.5
    second_look: float = 4.5
    search: float = 6.0


LOWEST: Final = Gates()
_TRIED: Final = (DIRECT_LOOKS, SECOND_LOOKS, SEARCHED_LOOKS * TILE * TILE)
_SHARES: Final = (0.3, 0.02, 0.68)


def gates_for(epochs: int) -> Gates:
    """Gates by which the keys of so many epochs read an unmarked picture as marked in MOST_BY_CHANCE at most."""
    decoded = MOST_BY_CHANCE * (1 << CRC_BITS) / epochs
    raised = (-NormalDist().inv_cdf(decoded * share / tried) for share, tried in zip(_SHARES, _TRIED, strict=True))
    return Gates(*map(max, astuple(LOWEST), raised))


def chance_of_a_mark(epochs: int, gates: Gates) -> float:
    """The most that the chance can be that an unmarked picture is read as marked: a union bound over all looks."""
    pairs = zip(_TRIED, astuple(gates), strict=True)
    decoded: float = sum(tried * NormalDist().cdf(-gate) for tried, gate in pairs)
    return epochs * decoded / (1 << CRC_BITS)
