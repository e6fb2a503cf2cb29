"""The default watermark: tiled spread spectrum, keyed, without weights."""

import hashlib
from functools import cached_property
from typing import Final

from darkroom.errors import ConfigurationError, UnmarkedOutput
from darkroom.provenance.tss.carrier import Carrier, carrier
from darkroom.provenance.tss.identify import identify
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.tss.self_check import faintest
from darkroom.provenance.watermark import RGB, Embedded, Mark

MIN_SIDE: Final = 64  # pixels; below this a tile has too few samples
MIN_SECRET: Final = 16  # bytes


class TssWatermarker:
    """Marks with a secret and reads what the same secret marked. Threads share it, forks inherit it."""

    alg: Final = "org.darkroom.tss.1"

    def __init__(self, secret: bytes) -> None:
        """Raises: ConfigurationError for a secret that is too short to be one."""
        if len(secret) < MIN_SECRET:
            raise ConfigurationError(f"a watermark secret has at least {MIN_SECRET} bytes")
        self._secret = secret

    @cached_property
    def _carrier(self) -> Carrier:
        return carrier(self._secret)

    @property
    def key_id(self) -> str:
        return hashlib.sha256(b"org.darkroom.tss.1/key-id\0" + self._secret).hexdigest()[:16]

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        """The faintest mark that survives the self-check; where none does, the strongest allowed that reads back.

        Raises: UnmarkedOutput.
        """
        short_side = min(rgb_HWC.shape[:2])
        if short_side < MIN_SIDE:
            raise UnmarkedOutput(f"a picture needs at least {MIN_SIDE} pixels a side to carry the watermark")
        made = faintest(rgb_HWC, mark_id, self._carrier)
        return Embedded(made.rgb_HWC, made.psnr, made.weak, self.key_id)

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        """Finds crops too: a crop may be smaller than what can be marked."""
        if min(rgb_HWC.shape[:2]) < MIN_SIDE // 2:
            return None
        found = identify(luma(rgb_HWC), (self._carrier,))
        return found.mark if found else None
