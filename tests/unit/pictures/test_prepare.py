"""A plan and its pictures become a canvas."""

from typing import Any

import numpy as np

from darkroom.contract.start import Box, FromImage, FromInside, FromMask, PictureRef
from tests.unit.engine.works import make_plan
from worker.pictures import prepare
from worker.pictures.canvas import Drawn, Masked
from worker.pictures.scaling import scaled_mask

REF = PictureRef(sha256="a" * 64, width=64, height=64)
DICE = np.random.default_rng(0)


def pixels(height: int, width: int) -> np.ndarray:
    return DICE.integers(0, 256, (height, width, 3), dtype=np.uint8)


def grey(mask_HW: np.ndarray) -> np.ndarray:
    return np.repeat(mask_HW[..., None].astype(np.uint8) * 255, 3, axis=2)


def masked(image: np.ndarray, mask_HW: np.ndarray, seen: Box, **changed: Any) -> Masked:
    fields = {"strength": 0.8, "steps": 3, "masked_content": "original", "feather": 0, **changed}
    plan = make_plan(task="inpaint", start=FromMask(image=REF, mask=REF, seen=seen, **fields))
    canvas = prepare.masked(plan, image, grey(mask_HW))
    assert isinstance(canvas, Masked)
    return canvas


def inside(image: np.ndarray, left: int, top: int, **changed: Any) -> Masked:
    fields = {"strength": 0.8, "steps": 3, "masked_content": "original", "feather": 0, **changed}
    plan = make_plan(task="outpaint", start=FromInside(image=REF, left=left, top=top, **fields))
    canvas = prepare.inside(plan, image)
    assert isinstance(canvas, Masked)
    return canvas


def test_one_masked_pixel_of_millions_is_masked_when_scaled() -> None:
    mask_HW = np.zeros((4096, 4096), bool)
    mask_HW[1000, 2000] = True
    assert scaled_mask(mask_HW, (128, 128)).sum() == 1


def whole(image: np.ndarray) -> Box:
    return Box(left=0, top=0, width=image.shape[1], height=image.shape[0])


def test_a_picture_is_scaled_to_the_plan_and_put_on_white() -> None:
    plan = make_plan(task="image_to_image", start=FromImage(image=REF, strength=0.5, steps=2))
    clear = np.zeros((32, 32, 4), np.uint8)
    canvas = prepare.drawn(plan, clear)
    assert isinstance(canvas, Drawn)
    assert canvas.rgb_HW3.shape == (64, 64, 3)
    assert (canvas.rgb_HW3 == 255).all()


def test_a_masked_picture_as_large_as_the_plan_is_not_touched() -> None:
    image, mask_HW = pixels(64, 64), DICE.random((64, 64)) < 0.5
    canvas = masked(image, mask_HW, whole(image))
    assert np.array_equal(canvas.rgb_HW3, image)
    assert np.array_equal(canvas.mask_HW, mask_HW)


def test_only_what_is_seen_is_on_the_canvas_and_the_result_is_the_whole_picture() -> None:
    image, mask_HW = pixels(100, 140), np.zeros((100, 140), np.bool_)
    mask_HW[30:40, 60:75] = True
    canvas = masked(image, mask_HW, Box(left=50, top=20, width=32, height=32))
    assert canvas.rgb_HW3.shape == (64, 64, 3)
    assert np.array_equal(canvas.mask_HW, np.kron(mask_HW[20:52, 50:82], np.ones((2, 2), np.bool_)))
    result = canvas.finished(np.full((64, 64, 3), 9, np.uint8))
    assert np.array_equal(result[~mask_HW], image[~mask_HW])
    assert (result[mask_HW] == 9).all()


def test_a_line_of_one_pixel_is_still_there_when_the_mask_is_made_smaller() -> None:
    image, mask_HW = pixels(512, 512), np.zeros((512, 512), np.bool_)
    mask_HW[:, 301] = True
    assert masked(image, mask_HW, whole(image)).mask_HW[:, 301 // 8].all()


def test_fill_covers_what_was_masked() -> None:
    image, mask_HW = np.full((64, 64, 3), 200, np.uint8), np.zeros((64, 64), np.bool_)
    mask_HW[16:32, 16:32] = True
    image[mask_HW] = 0
    assert (masked(image, mask_HW, whole(image), masked_content="fill").rgb_HW3 == 200).all()
    assert (masked(image, mask_HW, whole(image)).rgb_HW3[mask_HW] == 0).all()


def test_an_expanded_picture_lies_in_its_place_and_comes_out_as_it_was() -> None:
    image = pixels(40, 30)
    canvas = inside(image, left=20, top=8)
    assert np.array_equal(canvas.rgb_HW3[8:48, 20:50], image)
    outside = np.ones((64, 64), np.bool_)
    outside[8:48, 20:50] = False
    assert np.array_equal(canvas.mask_HW, outside)
    result = canvas.finished(np.full((64, 64, 3), 9, np.uint8))
    assert np.array_equal(result[8:48, 20:50], image)
    assert (result[outside] == 9).all()


def test_a_seam_lies_inside_the_old_picture_on_the_sides_that_grow_alone() -> None:
    image = pixels(64, 40)
    canvas = inside(image, left=24, top=0, feather=4)
    assert canvas.mask_HW[:, :28].all()
    assert not canvas.mask_HW[:, 28:].any()
    result = canvas.finished(np.full((64, 64, 3), 9, np.uint8))
    assert np.array_equal(result[:, 28:], image[:, 4:])
    assert (result[:, :24] == 9).all()


def test_a_picture_narrower_than_two_seams_keeps_its_middle() -> None:
    canvas = inside(pixels(64, 5), left=24, top=0, feather=64)
    assert (~canvas.mask_HW).any(axis=0).nonzero()[0].tolist() == [26]


def test_margins_are_filled_from_the_picture() -> None:
    image = np.full((40, 40, 3), 120, np.uint8)
    assert (inside(image, left=24, top=24, masked_content="fill").rgb_HW3 == 120).all()
