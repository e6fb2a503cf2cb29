"""Marks by TrustMark's networks (Bui et al., arXiv 2311.18297), as TrustMark 0.9.2 applies them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from darkroom.errors import UnmarkedOutput
from darkroom.provenance.placement import Placement
from darkroom.provenance.trustmark.networks import Networks, Picture, Variant
from darkroom.provenance.trustmark.packet import PACKET_BITS, pack, text_of, unpack
from darkroom.provenance.tss.self_check import as_jpeg
from darkroom.provenance.watermark import RGB, Embedded, Mark

MIN_SIDE: Final = 64  # pixels
STRENGTHS: Final = (1.0, 1.25, 1.5, 2.0)  # of what TrustMark adds, faintest first
PROMISED_QUALITY: Final = 75  # of JPEG
AMPLE: Final = 4  # times a network's side: pictures of more are reduced in two steps
FULL_RANGE: Final = 2.0  # of pixels as the networks take them, -1..1
WIDEST: Final[dict[Variant, float]] = {"B": 2.0, "C": 2.0, "P": 0.0, "Q": 2.0}  # beyond, only the centre is marked
EXTRA: Final[dict[Variant, float]] = {"B": 1.0, "C": 1.0, "P": 1.25, "Q": 1.0}  # P is trained to be scaled up
_PLACEMENTS: Final = tuple(Placement(turns, mirrored) for mirrored in (False, True) for turns in range(4))

Residual = NDArray[np.float32]  # height x width x 3, 0 outside of what is marked


@dataclass(frozen=True)
class TrustmarkWatermarker:
    """Marks with the first key and reads by all.

    Keys prove ids. The bits themselves can be read, and written over, by everybody who has the networks.
    """

    networks: Networks
    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def alg(self) -> str:
        return f"com.adobe.trustmark.{self.networks.variant}"

    def embed(self, rgb_HWC: RGB, mark_id: int) -> Embedded:
        """The faintest mark that survives JPEG; where none does, the strongest that reads back, as weak.

        A fourth channel, alpha, is left as it is. Raises: UnmarkedOutput.
        """
        if min(rgb_HWC.shape[:2]) < MIN_SIDE:
            raise UnmarkedOutput(f"a picture needs at least {MIN_SIDE} pixels a side to carry the watermark")
        key, picture = self.keys[0], np.ascontiguousarray(rgb_HWC[..., :3])
        residual = self._residual(picture, mark_id)
        readable = None
        for strength in STRENGTHS:
            marked = _added(picture, residual * np.float32(strength))
            if not self._reads(marked, mark_id):
                continue
            readable = Embedded(_with_alpha(marked, rgb_HWC), _psnr(residual, strength), weak=True, key_id=key_id(key))
            if self._reads(as_jpeg(marked, PROMISED_QUALITY), mark_id):
                return Embedded(readable.rgb_HWC, readable.psnr_db, weak=False, key_id=readable.key_id)
        if readable is None:
            raise UnmarkedOutput("the watermark does not read back from this picture")
        return readable

    def value(self, mark_id: int) -> str:
        """As TrustMark's own tools write it, for them to find."""
        return text_of(mark_id, self.keys[0])

    def identify(self, rgb_HWC: RGB) -> Mark | None:
        """Finds turned and mirrored pictures too, but no crops."""
        small = self._small(rgb_HWC, self.networks.decoder_side)
        return next((mark for placement in _PLACEMENTS for mark in self._marks(small, placement)), None)

    def _marks(self, small_HWC: RGB, placement: Placement) -> Iterator[Mark]:
        bits = self.networks.decode(_as_input(np.asarray(placement.upright(small_HWC), np.uint8)))
        for key in self.keys:
            mark_id = unpack(bits, key)
            if mark_id is not None:
                right = int((bits == pack(mark_id, key)).sum())
                yield Mark(mark_id, _deviations(right), placement, key_id(key))

    def _reads(self, rgb_HWC: RGB, mark_id: int) -> bool:
        """As it lies: whoever marks need not look for turned pictures."""
        small = self._small(rgb_HWC, self.networks.decoder_side)
        return any(mark.mark_id == mark_id for mark in self._marks(small, Placement()))

    def _residual(self, rgb_HWC: RGB, mark_id: int) -> Residual:
        """What a mark of strength 1 adds, in units of the networks."""
        cover = _as_input(self._small(rgb_HWC, self.networks.encoder_side))
        change = np.clip(self.networks.encode(cover, pack(mark_id, self.keys[0])), -1, 1) - cover
        change -= change.mean(axis=(2, 3), keepdims=True)  # colours stay
        rows, columns = self._marked_part(rgb_HWC)
        size = (columns.stop - columns.start, rows.stop - rows.start)
        residual = np.zeros((*rgb_HWC.shape[:2], 3), np.float32)
        scaled = cv2.resize(change[0].transpose(1, 2, 0), size, interpolation=cv2.INTER_LINEAR)
        residual[rows, columns] = scaled * EXTRA[self.networks.variant]
        return residual

    def _small(self, rgb_HWC: RGB, side: int) -> RGB:
        part = _reduced(rgb_HWC[self._marked_part(rgb_HWC)], AMPLE * side)
        picture = Image.fromarray(np.ascontiguousarray(part[..., :3]))
        return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))

    def _marked_part(self, rgb_HWC: RGB) -> tuple[slice, slice]:
        """All of it, or the square in the middle of pictures that are too wide, or too high."""
        height, width = rgb_HWC.shape[:2]
        short = min(height, width)
        if max(height, width) <= WIDEST[self.networks.variant] * short:
            return slice(0, height), slice(0, width)
        top, left = (height - short) // 2, (width - short) // 2
        return slice(top, top + short), slice(left, left + short)


def key_id(key: bytes) -> str:
    """Names the key without telling it."""
    return sha256(b"org.darkroom.trustmark/key-id\0" + key).hexdigest()[:16]


def _reduced(rgb_HWC: RGB, least: int) -> RGB:
    """Large pictures by a whole factor, to no less than `least` pixels a side: Pillow needs 7 bytes a pixel."""
    height, width = rgb_HWC.shape[:2]
    factor = min(height, width) // least
    if factor < 2:
        return rgb_HWC
    return np.asarray(cv2.resize(rgb_HWC, (width // factor, height // factor), interpolation=cv2.INTER_AREA), np.uint8)


def _as_input(rgb_HWC: RGB) -> Picture:
    picture = rgb_HWC.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    return np.ascontiguousarray(picture / np.float32(127.5) - np.float32(1))


def _added(rgb_HWC: RGB, residual: Residual) -> RGB:
    """Rounded, where TrustMark cuts off, which darkens by half a level."""
    return np.clip(np.rint(rgb_HWC + residual * np.float32(127.5)), 0, 255).astype(np.uint8)


def _with_alpha(marked: RGB, original: RGB) -> RGB:
    return np.concatenate([marked, original[..., 3:]], axis=2)


def _psnr(residual: Residual, strength: float) -> float:
    power = float(np.mean(np.square(residual, dtype=np.float64))) * strength**2
    return 10 * math.log10(FULL_RANGE**2 / power) if power else math.inf


def _deviations(right: int) -> float:
    """Of 100 bits that are guessed, 50 are right, and 5 more or fewer are one standard deviation."""
    return (right - PACKET_BITS / 2) / (math.sqrt(PACKET_BITS) / 2)
