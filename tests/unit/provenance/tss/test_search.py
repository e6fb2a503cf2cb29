"""Finding the mark where the picture was cut and tilted, and telling which of many secrets made it."""

import cv2
import numpy as np
import pytest

from darkroom.provenance.tss import reading, search
from darkroom.provenance.tss.carrier import TILE, carrier
from darkroom.provenance.tss.identify import identify
from darkroom.provenance.tss.luma import Luma, luma
from darkroom.provenance.tss.spectrum import best_sync, spectra, sync_at_origin
from darkroom.provenance.tss.tiling import fold, residual
from tests.unit.provenance.making import MARK_ID, RGB, SECRET, clouds, cropped, marked, saved_as

OURS = carrier(SECRET)
OTHERS = [carrier(bytes([number]) * 32) for number in range(1, 8)]


def tilted(rgb_HWC: RGB, degrees: float) -> RGB:
    height, width = rgb_HWC.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(rgb_HWC, turn, (width, height), borderMode=cv2.BORDER_REFLECT))


def looks() -> list[Luma]:
    grey = luma(marked("clouds", 256, 192))
    return [residual(grey, 96 * zoom) for zoom in (0.99, 1.0, 1.01)]


@pytest.mark.parametrize("degrees", [-10.0, 5.2])
@pytest.mark.slow
def test_a_picture_tilted_by_up_to_ten_degrees_can_be_read(degrees: float) -> None:
    found = identify(luma(tilted(marked("clouds", 256, 192), degrees)), [OURS])
    assert found is not None
    assert found.mark.mark_id == MARK_ID
    assert found.mark.placement.degrees == pytest.approx(-degrees, abs=0.5)


@pytest.mark.parametrize("share", [0.0, 0.25], ids=["whole", "cut"])
def test_of_many_secrets_the_one_that_marked_is_told(share: float) -> None:
    picture = saved_as(cropped(marked("clouds", 256, 192), share), "JPEG", 75)
    found = identify(luma(picture), [*OTHERS, OURS])
    assert found is not None
    assert found.carrier is OURS
    assert found.mark.mark_id == MARK_ID


@pytest.mark.slow
def test_secrets_that_did_not_mark_find_nothing() -> None:
    assert identify(luma(marked("clouds", 256, 192)), OTHERS) is None


@pytest.mark.slow
def test_a_picture_is_looked_at_as_often_for_eight_secrets_as_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding and transforming need no secret, and are what the search spends its time on."""
    folded: list[int] = []

    def counted(residuals: list[Luma]) -> np.ndarray:
        seen_Zn = spectra(residuals)
        folded.append(len(seen_Zn))
        return seen_Zn

    monkeypatch.setattr(search, "spectra", counted)
    monkeypatch.setattr(reading, "spectra", counted)
    grey = luma(clouds(160, 128))
    assert identify(grey, OTHERS[:1]) is None
    alone = sum(folded)
    folded.clear()
    assert identify(grey, OTHERS) is None
    assert sum(folded) <= alone * 1.05


def test_the_best_place_is_where_a_plain_transform_of_the_whole_plane_has_its_peak() -> None:
    seen_Zn = spectra(looks())
    peaks = best_sync(seen_Zn, OURS)
    sync = OURS.sync_n
    for look, seen_n in enumerate(seen_Zn):
        plane = np.zeros((TILE, TILE), np.complex128)
        plane[OURS.rows_n[sync], OURS.columns_n[sync]] = seen_n[sync] * np.conj(OURS.phases_n[sync])
        correlation = np.fft.ifft2(plane).real * TILE * TILE * np.sqrt(2 / sync.sum())
        assert peaks.strength_Z[look] == pytest.approx(correlation.max(), rel=1e-4)
        assert correlation[peaks.shift(look)] == pytest.approx(correlation.max(), rel=1e-4)
        assert sync_at_origin(seen_n, OURS) == pytest.approx(correlation[0, 0], abs=1e-3)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (30, 200), (129, 64)])
def test_folding_leaves_noise_as_strong_as_it_was(height: int, width: int) -> None:
    noise = np.random.default_rng(0).normal(0, 1, (height, width)).astype(np.float32)
    folded = fold(noise)
    assert folded.shape == (TILE, TILE)
    covered = folded[: min(height, TILE), : min(width, TILE)]
    assert covered.std() == pytest.approx(1, abs=0.05)
    assert not folded[height:].any()
