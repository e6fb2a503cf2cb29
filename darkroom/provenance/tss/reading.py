"""One look at a picture: at one size of tile, is the mark there, and which id does it carry."""

from typing import NamedTuple

from darkroom.provenance.placement import Placement
from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.convolutional_code import decode
from darkroom.provenance.tss.luma import Luma
from darkroom.provenance.tss.message import MESSAGE_BITS, unpack
from darkroom.provenance.tss.spectrum import Harmonics, Shift, best_sync, harmonics, soft_bits, sync_at_origin
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


def read_whole(look: Look, carrier: Carrier, gate: float) -> Mark | None:
    """Decode a picture that begins where the marked one began, if the sync stands out by `gate`."""
    seen = harmonics(residual(look.upright, look.period), carrier)
    strength = sync_at_origin(seen, carrier)
    return _decoded(look, seen, (0, 0), strength, carrier) if strength > gate else None


def read_crop(looks: list[Look], carrier: Carrier) -> Mark | None:
    """Decode the look whose sync stands out most, wherever its first tile begins."""
    seen = [harmonics(residual(look.upright, look.period), carrier) for look in looks]
    peaks = [best_sync(values, carrier) for values in seen]
    best = max(range(len(looks)), key=lambda index: peaks[index][0])
    strength, shift = peaks[best]
    return _decoded(looks[best], seen[best], shift, strength, carrier)


def _decoded(look: Look, seen: Harmonics, shift: Shift, strength: float, carrier: Carrier) -> Mark | None:
    mark_id = unpack(decode(soft_bits(seen, carrier, shift), MESSAGE_BITS), carrier.scramble)
    return None if mark_id is None else Mark(mark_id, strength, look.placement)
