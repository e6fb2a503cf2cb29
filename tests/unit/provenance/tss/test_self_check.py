"""Which strength is taken, and what happens where none will do."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from darkroom.errors import UnmarkedOutput
from darkroom.provenance.tss import self_check
from darkroom.provenance.tss.carrier import carrier
from darkroom.provenance.tss.embed import embed
from darkroom.provenance.tss.identify import identify
from darkroom.provenance.tss.luma import luma
from darkroom.provenance.tss.self_check import (
    LADDER,
    LAST_RESORT,
    SMALL,
    SMALL_LADDER,
    attacked,
    faintest,
    survives,
)
from tests.unit.provenance.making import MARK_ID, RGB, SECRET, clouds, cropped, psnr, shapes

OURS = carrier(SECRET)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The strengths that were tried, in dB."""
    seen: list[float] = []
    real = self_check.add

    def add(rgb_HWC: RGB, unit_wave: object, psnr: float) -> RGB:
        seen.append(psnr)
        return real(rgb_HWC, unit_wave, psnr)  # type: ignore[arg-type]

    monkeypatch.setattr(self_check, "add", add)
    return seen


def after(times: int) -> Callable[..., bool]:
    """A check that fails so many times."""
    calls = count()
    return lambda *_: next(calls) >= times


def test_the_faintest_mark_that_will_do_is_taken(tried: list[float]) -> None:
    made = faintest(clouds(512, 512), MARK_ID, OURS)
    assert tried == [LADDER[0]] == [made.psnr]
    assert not made.weak


def test_a_stronger_mark_is_taken_only_where_a_fainter_one_fails(
    tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_check, "survives", after(2))
    made = faintest(clouds(512, 512), MARK_ID, OURS)
    assert tried == list(LADDER[:3])
    assert psnr(made.rgb_HWC, clouds(512, 512)) == pytest.approx(made.psnr, abs=0.2)
    assert (made.psnr, made.weak) == (LADDER[2], False)


def test_where_no_mark_survives_everything_the_strongest_is_kept_and_called_weak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(self_check, "survives", lambda *_: False)
    made = faintest(clouds(256, 256), MARK_ID, OURS)
    assert (made.psnr, made.weak) == (LADDER[-1], True)
    found = identify(luma(made.rgb_HWC), [OURS])
    assert found is not None
    assert found.mark.mark_id == MARK_ID


def test_a_small_picture_that_survives_all_but_a_cut_is_marked_a_little_louder_and_called_weak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(self_check, "survives", lambda *_: False)
    made = faintest(shapes(128, 128), MARK_ID, OURS)
    assert (made.psnr, made.weak) == (LADDER[-1], True)


def test_noise_is_marked_louder_and_weak() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    made = faintest(noise, MARK_ID, OURS)
    assert made.weak
    assert made.psnr in LAST_RESORT


def test_where_nothing_reads_back_every_strength_was_tried_and_no_picture_comes_out(
    tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_check, "reads", lambda *_: False)
    with pytest.raises(UnmarkedOutput, match="does not read back"):
        faintest(shapes(128, 128), MARK_ID, OURS)
    assert tried == [*LADDER, *SMALL_LADDER, SMALL_LADDER[-1], *LAST_RESORT]


def test_a_mark_must_read_back_as_the_id_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    other = embed(shapes(128, 128), MARK_ID + 1, OURS, 38.0)
    monkeypatch.setattr(self_check, "add", lambda *_: other)
    with pytest.raises(UnmarkedOutput):
        faintest(shapes(128, 128), MARK_ID, OURS)


def test_alpha_is_kept_and_the_colours_are_marked_as_they_would_be_without() -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (96, 128, 1), np.uint8)
    made = faintest(np.concatenate([clouds(96, 128), alpha], axis=2), MARK_ID, OURS)
    assert np.array_equal(made.rgb_HWC[..., 3:], alpha)
    assert np.array_equal(made.rgb_HWC[..., :3], faintest(clouds(96, 128), MARK_ID, OURS).rgb_HWC)


@pytest.mark.parametrize("kind", [clouds, shapes])
def test_what_survives_the_check_is_found_when_really_cut(kind: Callable[[int, int], RGB]) -> None:
    made = faintest(kind(256, 320), MARK_ID, OURS)
    found = identify(luma(cropped(made.rgb_HWC, 0.2)), [OURS])
    assert not made.weak
    assert found is not None
    assert found.mark.mark_id == MARK_ID


def test_a_mark_that_reads_whole_but_not_cut_does_not_survive() -> None:
    """So faint that the beginning of the tile cannot be searched for."""
    faint = embed(clouds(128, 128), MARK_ID, OURS, 42.0)
    assert all(self_check.reads(copy, MARK_ID, OURS) for copy in attacked(faint))
    assert not survives(faint, MARK_ID, OURS)


def test_strengths_are_tried_faintest_first() -> None:
    for rungs in (LADDER, SMALL_LADDER, LAST_RESORT):
        assert list(rungs) == sorted(rungs, reverse=True)


@pytest.mark.parametrize("side", [SMALL - 1, SMALL])
def test_what_a_mark_is_put_through_begins_with_the_picture_itself(side: int) -> None:
    picture = clouds(side, side)
    seen = list(attacked(picture))
    assert len(seen) == 4
    assert seen[0] is picture
    assert not any(np.array_equal(copy, picture) for copy in seen[1:])
