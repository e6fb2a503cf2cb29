"""The whole way of a mark through networks that have TrustMark's interface."""

from dataclasses import replace

import numpy as np
import pytest

from darkroom.errors import UnmarkedOutput
from darkroom.provenance.trustmark import watermarker
from darkroom.provenance.trustmark.networks import NetworkFiles, Networks
from darkroom.provenance.trustmark.watermarker import TrustmarkWatermarker, key_id
from tests.unit.provenance.making import MARK_ID, RGB, SECRET, clouds, psnr, saved_as, shapes


@pytest.fixture(scope="session")
def marks(networks: Networks) -> TrustmarkWatermarker:
    return TrustmarkWatermarker(networks, (SECRET,))


def found(marks: TrustmarkWatermarker, rgb_HWC: RGB) -> int | None:
    mark = marks.identify(rgb_HWC)
    return mark.mark_id if mark else None


@pytest.mark.parametrize(("height", "width"), [(256, 256), (192, 320), (512, 512), (128, 400)])
def test_a_mark_survives_jpeg(marks: TrustmarkWatermarker, height: int, width: int) -> None:
    made = marks.embed(clouds(height, width), MARK_ID)
    assert not made.weak
    assert found(marks, saved_as(made.rgb_HWC, "JPEG", 75)) == MARK_ID


def test_the_reported_ratio_is_that_of_the_pixels(marks: TrustmarkWatermarker) -> None:
    picture = clouds(256, 256)
    made = marks.embed(picture, MARK_ID)
    assert made.psnr_db == pytest.approx(psnr(picture, made.rgb_HWC), abs=0.5)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_and_mirrored_pictures_are_read_and_laid_upright(
    marks: TrustmarkWatermarker, turns: int, mirrored: bool
) -> None:
    upright = marks.embed(clouds(192, 256), MARK_ID).rgb_HWC
    turned = np.rot90(upright[:, ::-1] if mirrored else upright, turns)
    mark = marks.identify(turned)
    assert mark is not None
    assert mark.mark_id == MARK_ID
    assert np.array_equal(mark.placement.upright(turned), upright)


def test_unmarked_pictures_bear_no_mark(marks: TrustmarkWatermarker) -> None:
    assert [found(marks, clouds(256, 256, seed)) for seed in range(4)] == [None] * 4


@pytest.mark.parametrize("keys", [1, 24])
@pytest.mark.parametrize("side", [64, 700])
def test_a_picture_is_seen_by_the_decoder_eight_times_at_most(
    marks: TrustmarkWatermarker, monkeypatch: pytest.MonkeyPatch, keys: int, side: int
) -> None:
    """Each time costs as much as all else that verify does to a picture."""
    many = replace(marks, keys=(SECRET, *(bytes([number]) * 32 for number in range(keys - 1))))
    marked = marks.embed(shapes(256, 256), MARK_ID).rgb_HWC
    decode, seen = Networks.decode, []
    monkeypatch.setattr(Networks, "decode", lambda *given: seen.append(given) or decode(*given))
    assert many.identify(clouds(side, side)) is None
    assert len(seen) == 8
    seen.clear()
    assert found(many, marked) == MARK_ID
    assert len(seen) == 1


def test_a_mark_is_read_by_its_own_key_alone(marks: TrustmarkWatermarker) -> None:
    made = marks.embed(shapes(256, 256), MARK_ID)
    other = replace(marks, keys=(b"another installation",))
    assert found(other, made.rgb_HWC) is None
    both = replace(marks, keys=(b"another installation", SECRET)).identify(made.rgb_HWC)
    assert both is not None
    assert both.key_id == made.key_id == key_id(SECRET)


def test_only_the_middle_of_a_long_picture_is_marked(marks: TrustmarkWatermarker) -> None:
    picture = clouds(128, 400)
    made = marks.embed(picture, MARK_ID).rgb_HWC
    changed = (made != picture).any(axis=(0, 2))
    assert changed[136:264].any()
    assert not changed[:136].any()
    assert not changed[264:].any()


def test_variant_p_marks_the_middle_square_of_every_picture(network_files: NetworkFiles) -> None:
    marks = TrustmarkWatermarker(Networks(replace(network_files, variant="P")), (SECRET,))
    picture = clouds(128, 160)
    made = marks.embed(picture, MARK_ID).rgb_HWC
    assert found(marks, made) == MARK_ID
    assert marks.alg == "com.adobe.trustmark.P"
    assert np.array_equal(made[:, :16], picture[:, :16])


def test_large_pictures_are_reduced_before_they_are_read(marks: TrustmarkWatermarker) -> None:
    made = marks.embed(shapes(512, 512), MARK_ID).rgb_HWC
    assert found(marks, made.repeat(4, axis=0).repeat(4, axis=1)) == MARK_ID


def test_alpha_is_left_as_it_is(marks: TrustmarkWatermarker) -> None:
    alpha = np.arange(256, dtype=np.uint8).repeat(256).reshape(256, 256, 1)
    made = marks.embed(np.concatenate([clouds(256, 256), alpha], axis=2), MARK_ID).rgb_HWC
    assert np.array_equal(made[..., 3:], alpha)
    assert found(marks, made) == MARK_ID


def test_a_mark_that_jpeg_destroys_is_as_strong_as_may_be_and_weak(
    marks: TrustmarkWatermarker, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = clouds(256, 256)
    faint = marks.embed(picture, MARK_ID)
    monkeypatch.setattr(watermarker, "PROMISED_QUALITY", 1)
    strong = marks.embed(picture, MARK_ID)
    assert (faint.weak, strong.weak) == (False, True)
    assert faint.psnr_db - strong.psnr_db == pytest.approx(20 * np.log10(watermarker.STRENGTHS[-1]))


def test_a_picture_in_which_no_mark_reads_back_is_refused(marks: TrustmarkWatermarker) -> None:
    noise = np.random.default_rng(5).choice(np.array([0, 255], np.uint8), (64, 64, 3))
    with pytest.raises(UnmarkedOutput, match="does not read back"):
        marks.embed(noise, MARK_ID)


def test_pictures_too_small_are_refused(marks: TrustmarkWatermarker) -> None:
    with pytest.raises(UnmarkedOutput, match="at least 64 pixels"):
        marks.embed(clouds(63, 256), MARK_ID)
