"""The mark in pictures: there after everything it promises to survive, and not to be seen."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from darkroom.errors import ConfigurationError, UnmarkedOutput
from darkroom.provenance import TssWatermarker
from darkroom.provenance.tss.ring import Key
from darkroom.provenance.tss.watermarker import MIN_SIDE
from tests.unit.provenance.making import (
    DRAWN,
    MARK_ID,
    RGB,
    SECRET,
    clouds,
    cropped,
    marked,
    psnr,
    resized,
    saved_as,
    shapes,
    watermarker,
)

SIZES = [(64, 64), (64, 96), (128, 128), (192, 128), (128, 320), (256, 256), (512, 512), (512, 896), (768, 512)]

# short side: dB
LEAST_PSNR = {192: 41.5, 128: 38.5, 64: 36.5}

# what may happen to a picture of this short side or more
ATTACKS: dict[str, tuple[int, Callable[[RGB], RGB]]] = {
    "nothing": (64, lambda rgb: rgb),
    "JPEG 75": (64, lambda rgb: saved_as(rgb, "JPEG", 75)),
    "WebP 80": (64, lambda rgb: saved_as(rgb, "WEBP", 80)),
    "a flip": (64, lambda rgb: rgb[:, ::-1]),
    "a quarter turn": (64, lambda rgb: np.rot90(rgb)),
    "a quarter turn back": (64, lambda rgb: np.rot90(rgb, 3)),
    "standing on its head": (64, lambda rgb: np.rot90(rgb, 2)),
    "three quarters of its size": (64, lambda rgb: resized(rgb, 0.75)),
    "one and a half times its size": (64, lambda rgb: resized(rgb, 1.5)),
    "a tenth cut away": (64, lambda rgb: cropped(rgb, 0.1)),
    "a quarter cut away": (64, lambda rgb: cropped(rgb, 0.25)),
    "half its size": (128, lambda rgb: resized(rgb, 0.5)),
    "JPEG 50": (128, lambda rgb: saved_as(rgb, "JPEG", 50)),
    "a fifth cut away, then JPEG 75": (128, lambda rgb: saved_as(cropped(rgb, 0.2), "JPEG", 75)),
    "two fifths cut away": (192, lambda rgb: cropped(rgb, 0.4)),
    "smaller, then JPEG 70, as on social media": (256, lambda rgb: saved_as(resized(rgb, 0.75), "JPEG", 70)),
    "grey": (64, lambda rgb: np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)),
    "darker": (64, lambda rgb: (rgb * 0.8).astype(np.uint8)),
    "stretched to a square": (256, lambda rgb: cv2.resize(rgb, (512, 512), interpolation=cv2.INTER_AREA)),
    "tilted by two degrees": (256, lambda rgb: tilted(rgb, 2.0)),
}


def tilted(rgb_HWC: RGB, degrees: float) -> RGB:
    height, width = rgb_HWC.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(rgb_HWC, turn, (width, height), borderMode=cv2.BORDER_REFLECT))


def cases(*pictures: tuple[str, int, int]) -> list[tuple[str, int, int, str]]:
    """Each picture with each attack that pictures of its size are to survive."""
    return [
        (kind, height, width, attack)
        for kind, height, width in pictures
        for attack, (least, _) in ATTACKS.items()
        if min(height, width) >= least
    ]


@pytest.mark.parametrize(
    ("kind", "height", "width", "attack"),
    [*cases(("clouds", 256, 192)), *cases(("shapes", 64, 64))[:4]],
)
def test_the_mark_survives(kind: str, height: int, width: int, attack: str) -> None:
    mark = watermarker().identify(np.ascontiguousarray(ATTACKS[attack][1](marked(kind, height, width))))
    assert mark is not None
    assert mark.mark_id == MARK_ID


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_mark_is_in_pictures_of_any_shape_and_hardly_to_be_seen(kind: str, height: int, width: int) -> None:
    picture = marked(kind, height, width)
    mark = watermarker().identify(picture)
    assert mark is not None
    assert mark.mark_id == MARK_ID
    assert mark.placement.zoom == 1
    assert (picture.shape, picture.dtype) == ((height, width, 3), np.uint8)
    least = next(db for side, db in LEAST_PSNR.items() if min(height, width) >= side)
    assert psnr(picture, DRAWN[kind](height, width)) >= least


@pytest.mark.parametrize("mark_id", [0, 1, 2**47, 2**48 - 1])
def test_every_id_can_be_carried(mark_id: int) -> None:
    mark = watermarker().identify(saved_as(watermarker().embed(shapes(128, 128), mark_id).rgb_HWC, "JPEG", 75))
    assert mark is not None
    assert mark.mark_id == mark_id


@pytest.mark.parametrize("picture", ["black", "white", "grey", "noise", "stripes"])
def test_pictures_of_nothing_are_marked_too(picture: str) -> None:
    rng = np.random.default_rng(0)
    made = {
        "black": np.zeros((128, 128, 3), np.uint8),
        "white": np.full((128, 128, 3), 255, np.uint8),
        "grey": np.full((128, 128, 3), 127, np.uint8),
        "noise": rng.integers(0, 256, (128, 128, 3), np.uint8),
        "stripes": np.broadcast_to((np.arange(128) // 4 % 2 * 255).astype(np.uint8)[:, None, None], (128, 128, 3)),
    }[picture]
    mark = watermarker().identify(watermarker().embed(made, MARK_ID).rgb_HWC)
    assert mark is not None
    assert mark.mark_id == MARK_ID


def test_the_same_picture_and_id_give_the_same_bytes() -> None:
    again = TssWatermarker.of(bytes(range(32))).embed(shapes(128, 128), MARK_ID).rgb_HWC
    assert np.array_equal(again, marked("shapes", 128, 128))


def test_marking_leaves_the_picture_it_was_given_alone() -> None:
    picture = clouds(128, 128)
    before = picture.copy()
    watermarker().embed(picture, MARK_ID)
    assert np.array_equal(picture, before)


def test_a_picture_that_was_marked_before_carries_the_new_id() -> None:
    mark = watermarker().identify(watermarker().embed(marked("clouds", 192, 128), MARK_ID + 1).rgb_HWC)
    assert mark is not None
    assert mark.mark_id == MARK_ID + 1


@pytest.mark.parametrize(("height", "width"), [(MIN_SIDE - 1, 128), (128, MIN_SIDE - 1), (8, 8)])
def test_a_picture_too_small_for_the_mark_is_refused(height: int, width: int) -> None:
    with pytest.raises(UnmarkedOutput, match="64 pixels"):
        watermarker().embed(shapes(height, width), MARK_ID)


@pytest.mark.parametrize("secret", [b"", bytes(15)])
def test_a_secret_too_short_to_be_one_is_refused(secret: bytes) -> None:
    with pytest.raises(ConfigurationError, match="16 bytes"):
        TssWatermarker.of(secret)


def test_a_marked_picture_says_which_key_marked_it_and_whether_its_mark_is_weak() -> None:
    sound = watermarker().embed(shapes(256, 256), MARK_ID)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert (sound.weak, sound.key_id) == (False, Key(SECRET).id)
    assert watermarker().embed(noise, MARK_ID).weak


def test_the_key_id_names_the_secret_without_telling_it() -> None:
    assert Key(SECRET).id != Key(bytes(32)).id
    assert Key(SECRET).id not in bytes(range(32)).hex()


@pytest.mark.parametrize("attack", [pytest.param("nothing", marks=pytest.mark.slow), "a quarter cut away"])
def test_a_mark_of_another_key_is_not_read(attack: str) -> None:
    changed = np.ascontiguousarray(ATTACKS[attack][1](marked("clouds", 192, 128)))
    assert TssWatermarker.of(bytes(32)).identify(changed) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWN)
def test_unmarked_pictures_bear_no_mark(kind: str) -> None:
    assert watermarker().identify(DRAWN[kind](160, 128)) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shapes", pytest.param("clouds", marks=pytest.mark.slow), "noise"])
def test_thirty_unmarked_pictures_bear_no_mark(kind: str) -> None:
    rng = np.random.default_rng(9)
    for seed in range(30):
        height, width = (int(side) for side in rng.integers(64, 400, 2))
        noise = rng.integers(0, 256, (height, width, 3), np.uint8)
        picture = noise if kind == "noise" else DRAWN[kind](height, width, seed)
        assert watermarker().identify(saved_as(picture, "JPEG", 75) if seed % 2 else picture) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "height", "width", "attack"), cases(*((kind, *size) for kind in DRAWN for size in SIZES[::2]))
)
def test_the_mark_survives_in_every_shape_and_several_pictures(kind: str, height: int, width: int, attack: str) -> None:
    for seed in (1, 2):
        changed = ATTACKS[attack][1](watermarker().embed(DRAWN[kind](height, width, seed), seed).rgb_HWC)
        mark = watermarker().identify(np.ascontiguousarray(changed))
        assert mark is not None, f"picture {seed}"
        assert mark.mark_id == seed


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(64, 2048), (2048, 64), (1024, 100)])
def test_oblong_pictures_carry_the_mark_too(height: int, width: int) -> None:
    mark = watermarker().identify(saved_as(watermarker().embed(shapes(height, width), MARK_ID).rgb_HWC, "JPEG", 75))
    assert mark is not None
    assert mark.mark_id == MARK_ID


def test_a_picture_smaller_than_any_crop_that_could_be_read_has_no_mark() -> None:
    assert watermarker().identify(shapes(31, 200)) is None
    assert watermarker().identify(shapes(8, 8)) is None
