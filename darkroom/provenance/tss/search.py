"""Finding the mark in a crop, a rescaled crop or a slightly rotated picture: many cheap looks, few decodings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import cv2
import numpy as np

from darkroom.provenance.placement import Placement
from darkroom.provenance.tss.carrier import TILE, Carrier
from darkroom.provenance.tss.gates import LOWEST
from darkroom.provenance.tss.luma import Luma, middle, scaled
from darkroom.provenance.tss.reading import Found, Look, read_crop
from darkroom.provenance.tss.spectrum import best_sync, spectra
from darkroom.provenance.tss.tiling import possible_tiles, tiles_across, whiten

ANGLE_STEP: Final = 0.5  # degrees
STEEPEST: Final = 10.0  # degrees
SCALE_STEP: Final = 0.0045  # the sync fades at twice this error
REFINEMENTS: Final = (1.0, 0.997, 0.9985, 1.0015, 1.003)
MOST_DECODED: Final = 6  # bounds both time and false positives
CEILING: Final = 640  # pictures larger than this are searched at SEARCHED: the mark is coarser than either
SEARCHED: Final = 512
MOST_OBLONG: Final = 4  # of a longer picture the middle is searched


class Sighting(NamedTuple):
    """One size and tilt at which one carrier's sync stands out so much."""

    strength: float
    look: Look
    carrier: Carrier


class Scan(NamedTuple):
    """A look, and the zooms between which it is taken."""

    look: Look
    nearest: float
    furthest: float


def search(grey: Luma, carriers: Sequence[Carrier], gate: float = LOWEST.search) -> Found | None:
    """The mark of a picture that was cropped, resized or rotated by up to STEEPEST degrees."""
    short = min(grey.shape)
    part = middle(grey, MOST_OBLONG)
    base = scaled(part, SEARCHED / short) if short > CEILING else part
    for looks in (_cropped(base, short), _tilted(base, short)):
        found = _strongest_read([each for scan in looks for each in _sighted(scan, carriers, gate)])
        if found:
            return found
    return None


def _strongest_read(sightings: list[Sighting]) -> Found | None:
    sightings.sort(key=lambda sighting: -sighting.strength)
    for sighting in sightings[:MOST_DECODED]:
        found = read_crop(_refinements(sighting.look), sighting.carrier)
        if found:
            return found
    return None


def _cropped(base: Luma, short: int) -> Iterator[Scan]:
    natural = tiles_across(short)
    for tiles in possible_tiles(short):
        furthest = 1.9 if tiles in (natural, 2 * natural, 4) else 1.2  # what was cropped has had more tiles, not fewer
        yield Scan(Look(base, tiles, Placement()), 0.97, furthest)


def _tilted(base: Luma, short: int) -> Iterator[Scan]:
    steps = round(STEEPEST / ANGLE_STEP)
    for step in sorted(range(-steps, steps + 1), key=abs)[1:]:
        placement = Placement(degrees=step * ANGLE_STEP)
        yield Scan(Look(placement.upright(base).astype(np.float32), tiles_across(short), placement), 0.985, 1.06)


def _sighted(scan: Scan, carriers: Sequence[Carrier], gate: float) -> Iterator[Sighting]:
    """Sightings beyond the gate, of all zooms and carriers. Whitening is done once, a little finer than needed."""
    look = scan.look
    fine = whiten(scaled(look.upright, 1.02 * TILE / look.period))
    zooms = [float(zoom) for zoom in np.exp(np.arange(np.log(scan.nearest), np.log(scan.furthest), SCALE_STEP))]
    seen_Zn = spectra(_zoomed(fine, look.tiles, zoom) for zoom in zooms)
    for carrier in carriers:
        for zoom, strength in zip(zooms, best_sync(seen_Zn, carrier).strength_Z, strict=True):
            if strength >= gate:
                yield Sighting(float(strength), look._replace(placement=replace(look.placement, zoom=zoom)), carrier)


def _zoomed(fine: Luma, tiles: int, zoom: float) -> Luma:
    factor = TILE * tiles / (min(fine.shape) * zoom)
    size = (max(8, round(fine.shape[1] * factor)), max(8, round(fine.shape[0] * factor)))
    kernel = cv2.INTER_AREA if factor < 0.9 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(fine, size, interpolation=kernel), np.float32)


def _refinements(look: Look) -> list[Look]:
    placement = look.placement
    return [look._replace(placement=replace(placement, zoom=placement.zoom * factor)) for factor in REFINEMENTS]
