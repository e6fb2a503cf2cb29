"""Which strength is taken, and what happens where none will do."""

import numpy as np
import pytest

from darkroom.errors import UnmarkedOutput
from darkroom.provenance import TssWatermarker
from darkroom.provenance.tss import watermarker as module
from darkroom.provenance.tss.self_check import LADDER, LAST_RESORT, SMALL, SMALL_LADDER, attacked, ladder
from tests.unit.provenance.making import MARK_ID, RGB, clouds, psnr, shapes, watermarker


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The strengths that were tried, in dB."""
    seen: list[float] = []
    real = module.embed

    def embed(rgb_HWC: RGB, mark_id: int, carrier: object, psnr: float) -> RGB:
        seen.append(psnr)
        return real(rgb_HWC, mark_id, carrier, psnr)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "embed", embed)
    return seen


def test_the_faintest_mark_that_will_do_is_taken(tried: list[float]) -> None:
    TssWatermarker(bytes(32)).embed(clouds(512, 512), MARK_ID)
    assert tried == [LADDER[0]]


def test_a_stronger_mark_is_taken_only_where_a_fainter_one_fails(
    tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TssWatermarker, "_reads", lambda *_: len(tried) >= 3)
    marked = TssWatermarker(bytes(32)).embed(clouds(512, 512), MARK_ID)
    assert tried == list(LADDER[:3])
    assert psnr(marked, clouds(512, 512)) == pytest.approx(LADDER[2], abs=0.5)


def test_where_nothing_reads_back_every_strength_was_tried_and_no_picture_comes_out(
    tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TssWatermarker, "_reads", lambda *_: False)
    with pytest.raises(UnmarkedOutput, match="does not read back"):
        TssWatermarker(bytes(32)).embed(shapes(128, 128), MARK_ID)
    assert tried == [*SMALL_LADDER, SMALL_LADDER[-1], *LAST_RESORT]


def test_a_mark_must_read_back_as_the_id_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    other = watermarker().embed(shapes(128, 128), MARK_ID + 1)
    monkeypatch.setattr(module, "embed", lambda *_: other)
    with pytest.raises(UnmarkedOutput):
        watermarker().embed(shapes(128, 128), MARK_ID)


def test_small_pictures_may_be_marked_more_strongly() -> None:
    assert ladder(SMALL - 1)[: len(LADDER)] == ladder(SMALL) == LADDER
    assert min(ladder(SMALL - 1)) < min(LADDER)
    assert list(SMALL_LADDER) == sorted(SMALL_LADDER, reverse=True)


@pytest.mark.parametrize(("side", "copies"), [(SMALL - 1, 3), (SMALL, 2)])
def test_what_a_mark_is_put_through_begins_with_the_picture_itself(side: int, copies: int) -> None:
    picture = clouds(side, side)
    seen = list(attacked(picture))
    assert len(seen) == copies
    assert seen[0] is picture
    assert all(copy.shape == picture.shape and not np.array_equal(copy, picture) for copy in seen[1:])
