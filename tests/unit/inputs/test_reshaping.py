"""Pictures brought to a size in three ways, and masks turned round."""

import base64
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from darkroom.contract.generation import GenerationRequest
from darkroom.contract.inputs import MaskedPicture, OnePicture
from darkroom.contract.start import Box, ResizeMode
from darkroom.errors import InvalidField
from darkroom.inputs.normal import Normal, normalise, stored
from darkroom.inputs.reading import Read, Sources, read_inputs
from darkroom.inputs.reshaping import inverted, resized
from darkroom.inputs.shelf import fetch_original, keep
from darkroom.storage import MemoryStore
from tests.unit.inputs.files import saved, scene

ASKED: TypeAdapter[GenerationRequest] = TypeAdapter(GenerationRequest)


def striped(width: int = 24, height: int = 12) -> Normal:
    """Thirds of red, green and blue from left to right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for channel in range(3):
        pixels[:, channel * width // 3 : (channel + 1) * width // 3, channel] = 255
    return normalise(saved(pixels))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def read(store: MemoryStore, **fields: Any) -> Read:
    return await read_inputs(Sources(store, "ann"), ASKED.validate_python({"prompt": "x", **fields}))


@pytest.mark.parametrize("mode", ["stretch", "crop", "fill"])
@pytest.mark.parametrize("size", [(12, 12), (24, 12), (48, 12), (8, 40), (9, 31)])
def test_a_picture_has_the_size_that_was_asked_for(mode: ResizeMode, size: tuple[int, int]) -> None:
    made = resized(striped(), mode, size)
    assert (made.ref.width, made.ref.height) == size
    assert stored(made.png).ref == made.ref


def test_stretched_all_of_it_is_there() -> None:
    row = resized(striped(), "stretch", (12, 12)).pixels[6]
    assert [int(row[x].argmax()) for x in (1, 6, 10)] == [0, 1, 2]


def test_cropped_its_middle_is_there_in_its_own_shape() -> None:
    row = resized(striped(), "crop", (12, 12)).pixels[6]
    assert [int(row[x].argmax()) for x in (0, 6, 11)] == [0, 1, 2]
    assert (row[3:9].argmax(axis=1) == 1).sum() >= 6, "the middle third was squeezed"


def test_filled_all_of_it_lies_in_the_middle_and_its_edges_go_on() -> None:
    made = resized(striped(), "fill", (24, 24)).pixels
    assert np.array_equal(made[6:18], striped().pixels)
    assert (made[:6] == made[6]).all()
    assert (made[18:] == made[17]).all()


def test_a_picture_of_the_right_size_stays_the_same() -> None:
    picture = striped()
    assert resized(picture, "fill", (24, 12)) is picture


def test_a_mask_turned_round_says_the_opposite() -> None:
    mask_HW = np.zeros((8, 8), np.uint8)
    mask_HW[2:5, 3:7] = 255
    assert np.array_equal(inverted(normalise(saved(mask_HW))).pixels[..., 0], 255 - mask_HW)


async def test_a_request_may_bring_its_picture_to_a_size() -> None:
    found = await read(MemoryStore(), image=base64_of(saved(scene(24, 16))), width=16, height=16, resize_mode="crop")
    assert isinstance(found.inputs, OnePicture)
    assert (found.inputs.image.width, found.inputs.image.height) == (16, 16)
    assert [kept.ref for kept in found.sent] == [found.inputs.image]


async def test_a_mask_goes_with_its_picture_and_may_be_turned_round() -> None:
    mask_HW = np.full((16, 24), 255, np.uint8)
    mask_HW[:, 12:] = 0
    fields = {
        "image": base64_of(saved(scene(24, 16))),
        "mask": base64_of(saved(mask_HW)),
        "width": 48,
        "height": 32,
        "resize_mode": "stretch",
    }
    masked = [(await read(MemoryStore(), **fields, mask_invert=invert)).inputs for invert in (False, True)]
    boxes = [inputs.masked for inputs in masked if isinstance(inputs, MaskedPicture)]
    assert boxes == [Box(left=0, top=0, width=24, height=32), Box(left=24, top=0, width=24, height=32)]


async def test_a_credential_goes_on_with_what_was_made_over() -> None:
    store, file = MemoryStore(), saved(scene(24, 16)) + b"jumb c2pa"
    for image in (base64_of(file), (await keep(store, "ann", normalise(file))).sha256):
        found = await read(store, image=image, width=16, height=16, resize_mode="crop")
        (kept,) = found.sent
        assert kept.original == file
        await keep(store, "ann", kept)
        assert await fetch_original(store, "ann", kept.ref.sha256) == file


async def test_a_size_beyond_all_models_is_refused_before_it_is_made() -> None:
    with pytest.raises(InvalidField):
        await read(MemoryStore(), image=base64_of(saved(scene())), width=8192, height=8192, resize_mode="stretch")


@pytest.mark.parametrize("size", [{}, {"width": 16}, {"height": 16}])
def test_to_be_brought_to_a_size_it_must_be_told(size: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        ASKED.validate_python({"prompt": "x", "image": "AA==", "resize_mode": "crop", **size})
