"""Which mark is strong enough: the faintest that still reads after what will happen to the picture."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np

from darkroom.errors import UnmarkedOutput
from darkroom.provenance.placement import Placement
from darkroom.provenance.tss.carrier import Carrier
from darkroom.provenance.tss.embed import add, wave
from darkroom.provenance.tss.gates import LOWEST
from darkroom.provenance.tss.identify import identify_uncropped
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.tss.reading import Found, Look, read_crop
from darkroom.provenance.tss.tiling import tiles_across
from darkroom.provenance.watermark import RGB

LADDER: Final = (42.0, 41.0, 40.0, 39.0)  # dB, faintest first
SMALL: Final = 256  # pixels of short side below which one tile holds all there is
STRONGEST: Final = LADDER[-1]
# Small pictures have less room and hide a mark no worse: weak ones may be louder.
SMALL_LADDER: Final = (STRONGEST, 38.0, 37.0)
# For pictures of noise, which drown a mark and hide a strong one: of 64 px, one in eight needs the last.
LAST_RESORT: Final = (37.0, 34.0, 31.0, 28.0, 25.0)
CUT: Final = 0.2  # of each side


class Marked(NamedTuple):
    """A picture with its mark: `weak` where that does not survive all it should, or is louder than it should be."""

    rgb_HWC: RGB
    psnr: float  # dB, before clipping
    weak: bool


def faintest(picture_HWC: RGB, mark_id: int, carrier: Carrier) -> Marked:
    """The faintest mark that survives everything; where none does, the strongest that is allowed, as `weak`.

    Of small pictures, one that survives all but the cut is `weak` too. A fourth channel, alpha, is left as it is.
    Raises: UnmarkedOutput where nothing reads back.
    """
    made = _faintest(np.ascontiguousarray(picture_HWC[..., :3]), mark_id, carrier)
    return made._replace(rgb_HWC=np.concatenate([made.rgb_HWC, picture_HWC[..., 3:]], axis=2))


def _faintest(rgb_HWC: RGB, mark_id: int, carrier: Carrier) -> Marked:
    """The wave is fitted once: what it adds is linear in its strength, so that a rung costs no more than its checks."""
    small = min(rgb_HWC.shape[:2]) < SMALL
    unit_wave = wave(rgb_HWC, mark_id, carrier, LADDER[0])
    for psnr, survived in (*((psnr, survives) for psnr in LADDER), *((psnr, lasts) for psnr in SMALL_LADDER if small)):
        picture = add(rgb_HWC, unit_wave, psnr)
        if survived(picture, mark_id, carrier):
            return Marked(picture, psnr, weak=survived is lasts)
    for psnr in (SMALL_LADDER[-1] if small else STRONGEST, *LAST_RESORT):
        picture = add(rgb_HWC, wave(rgb_HWC, mark_id, carrier, psnr), psnr)
        if reads(picture, mark_id, carrier):
            return Marked(picture, psnr, weak=True)
    raise UnmarkedOutput("the watermark does not read back from this picture")


def survives(marked: RGB, mark_id: int, carrier: Carrier) -> bool:
    """Reads as it is, changed, and cut."""
    return lasts(marked, mark_id, carrier) and _reads_cut(marked, mark_id, carrier)


def lasts(marked: RGB, mark_id: int, carrier: Carrier) -> bool:
    """Reads as it is and changed."""
    return all(reads(copy, mark_id, carrier) for copy in attacked(marked))


def attacked(marked: RGB) -> Iterator[RGB]:
    """What a mark must survive before it is accepted, uncut.

    JPEG 50 leaves a margin above the JPEG 75 that is promised. WebP smooths flat areas; only small pictures feel it.
    Large ones are to survive as thumbnails: what drowns the mark there are coarse textures, as of grass.
    """
    yield marked
    yield as_jpeg(marked, 50)
    yield as_jpeg(_smaller(marked, 0.75), 75)
    if min(marked.shape[:2]) < SMALL:
        yield as_jpeg(as_webp(marked, 80), 75)
    else:
        yield _smaller(marked, 0.25)


def reads(rgb_HWC: RGB, mark_id: int, carrier: Carrier) -> bool:
    return _is(identify_uncropped(luma(rgb_HWC), [carrier]), mark_id)


def _reads_cut(marked: RGB, mark_id: int, carrier: Carrier) -> bool:
    """Whether a search would read a crop: where it begins must stand out, but how large it is need not be searched."""
    height, width = marked.shape[:2]
    top, left = int(height * CUT * 2 / 3), int(width * CUT * 2 / 3)
    part = luma(marked)[top : top + round(height * (1 - CUT)), left : left + round(width * (1 - CUT))]
    zoom = min(height, width) / min(part.shape)
    found = read_crop([Look(part, tiles_across(min(height, width)), Placement(zoom=zoom))], carrier)
    return _is(found, mark_id) and found is not None and found.mark.strength >= LOWEST.search


def _is(found: Found | None, mark_id: int) -> bool:
    return found is not None and found.mark.mark_id == mark_id


def _smaller(rgb_HWC: RGB, factor: float) -> RGB:
    return np.asarray(cv2.resize(rgb_HWC, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def as_jpeg(rgb_HWC: RGB, quality: int) -> RGB:
    return _recoded(rgb_HWC, ".jpg", cv2.IMWRITE_JPEG_QUALITY, quality)


def as_webp(rgb_HWC: RGB, quality: int) -> RGB:
    return _recoded(rgb_HWC, ".webp", cv2.IMWRITE_WEBP_QUALITY, quality)


def _recoded(rgb_HWC: RGB, extension: str, flag: int, quality: int) -> RGB:
    _, data = cv2.imencode(extension, cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2BGR), [flag, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
