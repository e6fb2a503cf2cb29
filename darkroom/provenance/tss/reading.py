"""One look at a picture: at one size of tile, is a mark there, whose is it, and which id does it carry."""

from collections.abc import Sequence
from typing import NamedTuple

from darkroom.provenance.placement import Placement
from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.convolutional_code import decode
from darkroom.provenance.tss.luma import Luma
from darkroom.provenance.tss.message import MESSAGE_BITS, unpack
from darkroom.provenance.tss.spectrum import (
    Harmonics,
    Shift,
    best_sync,
    harmonics,
    soft_bits,
    spectra,
    sync_at_origin,
)
from darkroom.provenance.tss.tiling import residual
from darkroom.provenance.watermark import Mark


class Look(NamedTuple):
    """A picture with turns and stretching undone, and how many tiles lay across the picture that was marked."""

    upright: Luma
    tiles: int
    placement: Placement

    @property
    def period(self) -> float:
        """Pixels from one tile to the next."""
        return float(min(self.upright.shape) / self.tiles * self.placement.zoom)


class Found(NamedTuple):
    """A mark, and the carrier that reads it."""

    mark: Mark
    carrier: Carrier


def read_whole(look: Look, carriers: Sequence[Carrier], gate: float) -> Found | None:
    """Decode a picture that begins where the marked one began, by each carrier whose sync stands out by `gate`."""
    seen = harmonics(residual(look.upright, look.period))
    strengths = [(sync_at_origin(seen, carrier), carrier) for carrier in carriers]
    for strength, carrier in sorted(strengths, key=lambda pair: -pair[0]):
        found = _decoded(look, seen, (0, 0), strength, carrier) if strength > gate else None
        if found:
            return found
    return None


def read_crop(looks: list[Look], carrier: Carrier) -> Found | None:
    """Decode the look whose sync stands out most, wherever its first tile begins."""
    seen_Zn = spectra(residual(look.upright, look.period) for look in looks)
    peaks = best_sync(seen_Zn, carrier)
    best = int(peaks.strength_Z.argmax())
    return _decoded(looks[best], seen_Zn[best], peaks.shift(best), float(peaks.strength_Z[best]), carrier)


def _decoded(look: Look, seen_n: Harmonics, shift: Shift, strength: float, carrier: Carrier) -> Found | None:
    mark_id = unpack(decode(soft_bits(seen_n, carrier, shift), MESSAGE_BITS), carrier.scramble)
    return None if mark_id is None else Found(Mark(mark_id, strength, look.placement), carrier)
