"""Finding the mark in a crop, a rescaled crop or a slightly rotated picture: many cheap looks, few decodings."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from darkroom.provenance.placement import Placement
from darkroom.provenance.tss.carrier import TILE, Carrier
from darkroom.provenance.tss.luma import Luma, middle, scaled
from darkroom.provenance.tss.reading import Look, read_crop
from darkroom.provenance.tss.spectrum import best_sync, harmonics
from darkroom.provenance.tss.tiling import possible_tiles, tiles_across, whiten
from darkroom.provenance.watermark import Mark

GATE: Final = 6.0
ANGLES: Final = (-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
SCALE_STEP: Final = 0.0045  # the sync fades at twice this error
REFINEMENTS: Final = (1.0, 0.997, 0.9985, 1.0015, 1.003)
MOST_DECODED: Final = 6  # bounds both time and false positives
CEILING: Final = 640  # pictures larger than this are searched at SEARCHED: the mark is coarser than either
SEARCHED: Final = 512
MOST_OBLONG: Final = 4  # of a longer picture the middle is searched

Sighting = tuple[float, Look]


def search(grey: Luma, carrier: Carrier) -> Mark | None:
    """The mark of a picture that was cropped, resized or rotated by up to 3 degrees."""
    short = min(grey.shape)
    part = middle(grey, MOST_OBLONG)
    base = scaled(part, SEARCHED / short) if short > CEILING else part
    sightings = list(_cropped(base, short, carrier))
    if max(strength for strength, _ in sightings) < GATE:
        sightings += _tilted(base, short, carrier)
    sightings.sort(key=lambda sighting: -sighting[0])
    for strength, look in sightings[:MOST_DECODED]:
        mark = read_crop(_refinements(look), carrier) if strength >= GATE else None
        if mark:
            return mark
    return None


def _cropped(base: Luma, short: int, carrier: Carrier) -> Iterator[Sighting]:
    natural = tiles_across(short)
    for tiles in possible_tiles(short):
        furthest = 1.9 if tiles in (natural, 2 * natural, 4) else 1.2  # what was cropped has had more tiles, not fewer
        yield from _scan(Look(base, tiles, Placement()), 0.97, furthest, carrier)


def _tilted(base: Luma, short: int, carrier: Carrier) -> Iterator[Sighting]:
    for degrees in ANGLES:
        placement = Placement(degrees=degrees)
        look = Look(placement.upright(base).astype(np.float32), tiles_across(short), placement)
        yield from _scan(look, 0.985, 1.06, carrier)


def _scan(look: Look, nearest: float, furthest: float, carrier: Carrier) -> Iterator[Sighting]:
    """One sighting a zoom. Whitening is done once, a little finer than needed; each zoom only resamples that."""
    fine = whiten(scaled(look.upright, 1.02 * TILE / look.period))
    for logarithm in np.arange(np.log(nearest), np.log(furthest), SCALE_STEP):
        zoom = float(np.exp(logarithm))
        factor = TILE * look.tiles / (min(fine.shape) * zoom)
        size = (max(8, round(fine.shape[1] * factor)), max(8, round(fine.shape[0] * factor)))
        kernel = cv2.INTER_AREA if factor < 0.9 else cv2.INTER_LINEAR
        smaller = np.asarray(cv2.resize(fine, size, interpolation=kernel), np.float32)
        strength, _ = best_sync(harmonics(smaller, carrier), carrier)
        yield strength, look._replace(placement=replace(look.placement, zoom=zoom))


def _refinements(look: Look) -> list[Look]:
    placement = look.placement
    return [look._replace(placement=replace(placement, zoom=placement.zoom * factor)) for factor in REFINEMENTS]
