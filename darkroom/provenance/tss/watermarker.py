"""The default watermark: tiled spread spectrum, keyed, without weights."""

from dataclasses import replace
from functools import cached_property
from typing import Final, Self

from darkroom.errors import UnmarkedOutput
from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.identify import identify
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.tss.ring import Key, KeyRing
from darkroom.provenance.tss.self_check import faintest
from darkroom.provenance.watermark import RGB, Embedded, Mark, mark_value

MIN_SIDE: Final = 64  # pixels; below this a tile has too few samples


class TssWatermarker:
    """Marks with the ring's newest keys and reads by all of them. Threads share it, forks inherit it."""

    alg: Final = "org.darkroom.tss.1"

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """With this secret as the only key. Raises: ConfigurationError for one that is too short."""
        return cls(KeyRing.of(secret))

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        """The faintest mark that survives the self-check; where none does, the strongest allowed that reads back.

        Raises: UnmarkedOutput.
        """
        short_side = min(rgb_HWC.shape[:2])
        if short_side < MIN_SIDE:
            raise UnmarkedOutput(f"a picture needs at least {MIN_SIDE} pixels a side to carry the watermark")
        key = self._ring.marking(mark_id)
        made = faintest(rgb_HWC, mark_id, key.carrier)
        return Embedded(made.rgb_HWC, made.psnr, made.weak, key.id)

    def value(self, mark_id: int) -> str:
        return mark_value(mark_id)

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        """Finds crops too: a crop may be smaller than what can be marked."""
        if min(rgb_HWC.shape[:2]) < MIN_SIDE // 2:
            return None
        found = identify(luma(rgb_HWC), tuple(self._keys), self._ring.gates)
        if found is None:
            return None
        key = self._keys[found.carrier]
        return replace(found.mark, key_id=key.id) if key.marks(found.mark.mark_id) else None

    @cached_property
    def _keys(self) -> dict[Carrier, Key]:
        return {key.carrier: key for key in self._ring.reading}
