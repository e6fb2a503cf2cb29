"""The default watermark: tiled spread spectrum, keyed, without weights."""

import hashlib
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from darkroom.errors import UnmarkedOutput
from darkroom.provenance.tss.carrier import Carrier, carrier
from darkroom.provenance.tss.embed import embed
from darkroom.provenance.tss.identify import identify, identify_uncropped
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.watermark import RGB, Mark

LADDER: Final = (42.0, 41.0, 40.0, 39.0)  # dB, faintest first
MIN_SIDE: Final = 64  # pixels; below this a tile has too few samples


class TssWatermarker:
    """Marks with a secret and reads what the same secret marked. Threads share it, forks inherit it."""

    alg: Final = "org.darkroom.tss.1"

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("a watermark secret has at least 16 bytes")
        self._secret = secret

    @cached_property
    def _carrier(self) -> Carrier:
        return carrier(self._secret)

    @property
    def key_id(self) -> str:
        """Names the secret without telling it."""
        return hashlib.sha256(b"org.darkroom.tss.1/key-id\0" + self._secret).hexdigest()[:16]

    def embed(self, rgb_HWC: RGB, mark_id: int) -> RGB:
        """The faintest mark that reads back after a JPEG 75; the strongest when none does, if it reads back at all.

        Raises: UnmarkedOutput.
        """
        if min(rgb_HWC.shape[:2]) < MIN_SIDE:
            raise UnmarkedOutput(f"a picture needs at least {MIN_SIDE} pixels a side to carry the watermark")
        marked = rgb_HWC
        for psnr in LADDER:
            marked = embed(rgb_HWC, mark_id, self._carrier, psnr)
            if self._holds(marked, mark_id) and self._holds(_as_jpeg(marked, 75), mark_id):
                return marked
        if not self._holds(marked, mark_id):
            raise UnmarkedOutput("the watermark does not read back from this picture")
        return marked

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        return None if min(rgb_HWC.shape[:2]) < MIN_SIDE // 2 else identify(luma(rgb_HWC), self._carrier)

    def _holds(self, rgb_HWC: RGB, mark_id: int) -> bool:
        mark = identify_uncropped(luma(rgb_HWC), self._carrier)
        return mark is not None and mark.mark_id == mark_id


def _as_jpeg(rgb_HWC: RGB, quality: int) -> RGB:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
