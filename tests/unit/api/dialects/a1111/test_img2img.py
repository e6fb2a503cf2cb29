"""Bodies of `img2img` -> requests of ours."""

import base64
import contextlib
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from api.dialects.a1111.asking import asking_of
from api.dialects.a1111.img2img import image_to_image
from api.dialects.a1111.shape import name_of
from api.dialects.remarks import Remarks
from darkroom.contract.generation import ImageToImage, Inpaint
from darkroom.errors import InvalidField, NotFound
from tests.unit.api.dialects.a1111.bodies import WEBUIAPI_IMG2IMG
from tests.unit.api.dialects.a1111.conftest import Asks, shipped
from tests.unit.api.dialects.a1111.test_txt2img import WILD
from tests.unit.inputs.files import saved, scene

PICTURE = base64.b64encode(saved(scene())).decode()
DRAWN = {"prompt": "a cat", "init_images": [PICTURE]}
MASKED = {**DRAWN, "mask": PICTURE}


def drawn(asks: Asks, body: dict[str, Any]) -> ImageToImage:
    asked = image_to_image(asks({**DRAWN, **body}))
    assert isinstance(asked, ImageToImage)
    return asked


def inpainted(asks: Asks, body: dict[str, Any]) -> Inpaint:
    asked = image_to_image(asks({**MASKED, **body}))
    assert isinstance(asked, Inpaint)
    return asked


def remarked(asks: Asks, body: dict[str, Any]) -> list[str]:
    asking = asks(body)
    image_to_image(asking)
    return [notice.field for notice in asking.remarks.notices]


@pytest.mark.parametrize("mask", [{}, {"mask": PICTURE}])
def test_what_webuiapi_sends_with_every_call_warns_nobody(asks: Asks, mask: dict[str, str]) -> None:
    asking = asks({**WEBUIAPI_IMG2IMG, "init_images": [f"data:image/png;base64,{PICTURE}"], **mask}, strict=True)
    image_to_image(asking)
    assert asking.remarks.notices == ()


def test_without_a_mask_a_picture_is_made_from_a_picture(asks: Asks) -> None:
    asked = drawn(asks, {"denoising_strength": 0.4, "mask": None, "inpainting_fill": 2})
    assert (asked.image, asked.strength, asked.width, asked.resize_mode) == (PICTURE, 0.4, None, None)


@pytest.mark.parametrize(("number", "mode"), [(0, "stretch"), (1, "crop"), (2, "fill")])
def test_a_picture_is_brought_to_the_size_that_was_asked_for(asks: Asks, number: int, mode: str) -> None:
    size = {"width": 128, "height": 192, "resize_mode": number}
    assert drawn(asks, size).resize_mode == mode
    assert inpainted(asks, {**size, "inpaint_full_res": False}).resize_mode == mode
    assert drawn(asks, {"width": 128, "resize_mode": number}).resize_mode is None


def test_enlarging_latents_is_remarked(asks: Asks) -> None:
    assert remarked(asks, {**DRAWN, "width": 128, "height": 128, "resize_mode": 3}) == ["resize_mode"]


@pytest.mark.parametrize(
    ("number", "content"), [(0, "fill"), (1, "original"), (2, "latent_noise"), (3, "latent_nothing")]
)
def test_masked_content_has_its_number(asks: Asks, number: int, content: str) -> None:
    assert inpainted(asks, {"inpainting_fill": number}).masked_content == content


def test_with_a_mask_the_defaults_are_those_of_the_original(asks: Asks) -> None:
    asked = inpainted(asks, {})
    assert (asked.mask, asked.mask_invert, asked.mask_blur, asked.strength) == (PICTURE, False, 4, 0.75)
    assert (asked.masked_content, asked.only_masked, asked.mask_padding) == ("fill", True, 0)


@pytest.mark.parametrize(("said", "inverted"), [(0, False), (1, True), (True, True), (None, False)])
def test_a_mask_may_be_turned_round(asks: Asks, said: Any, inverted: bool) -> None:
    assert inpainted(asks, {"inpainting_mask_invert": said}).mask_invert is inverted


def test_only_the_masked_part_is_looked_at_with_its_padding(asks: Asks) -> None:
    part = inpainted(asks, {"inpaint_full_res": 1, "inpaint_full_res_padding": 24, "width": 128, "height": 128})
    assert (part.only_masked, part.mask_padding, part.resize_mode) == (True, 24, None)
    assert not inpainted(asks, {"inpaint_full_res": False, "inpaint_full_res_padding": 24}).only_masked


def test_a_mask_is_blurred_as_far_as_its_larger_side(asks: Asks) -> None:
    assert inpainted(asks, {"mask_blur": 9, "mask_blur_x": 1, "mask_blur_y": 2}).mask_blur == 9
    assert inpainted(asks, {"mask_blur_x": 8, "mask_blur_y": 8}).mask_blur == 8
    assert remarked(asks, {**MASKED, "mask_blur_x": 8, "mask_blur_y": 2}) == ["mask_blur_y"]


@pytest.mark.parametrize("pictures", [None, [], [""], [None]])
def test_without_a_picture_there_is_nothing_to_begin_with(asks: Asks, pictures: Any) -> None:
    with pytest.raises(NotFound, match="Init image not found"):
        image_to_image(asks({"prompt": "a cat", "init_images": pictures}))


def test_of_several_pictures_the_first_is_taken_and_that_is_remarked(asks: Asks) -> None:
    assert remarked(asks, {**DRAWN, "init_images": [PICTURE, PICTURE]}) == ["init_images"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"init_images": [7]}, "init_images"),
        ({"mask": {"image": PICTURE}}, "mask"),
        ({"inpainting_fill": 4}, "inpainting_fill"),
        ({"resize_mode": -1, "inpaint_full_res": False}, "resize_mode"),
        ({"inpaint_full_res": "yes"}, "inpaint_full_res"),
    ],
)
def test_what_is_not_of_its_kind_is_refused(asks: Asks, said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        image_to_image(asks({**MASKED, **said}))
    assert refused.value.field == field


def test_a_strength_of_nothing_is_refused_by_the_dialects_name(asks: Asks) -> None:
    with pytest.raises(RequestValidationError) as refused:
        image_to_image(asks({**DRAWN, "denoising_strength": 0}))
    _, field = refused.value.errors()[0]["loc"]
    assert name_of(str(field)) == "denoising_strength"


FIELDS = [*WEBUIAPI_IMG2IMG, "mask", "mask_blur_x", "mask_blur_y", "latent_mask"]


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(FIELDS), WILD, max_size=8), st.booleans())
def test_any_body_is_a_request_or_a_refusal(body: dict[str, Any], masked: bool) -> None:
    begun = {**(MASKED if masked else DRAWN), **body}
    with contextlib.suppress(InvalidField, NotFound, RequestValidationError):
        asked = image_to_image(asking_of(begun, {}, shipped(), Remarks()))
        assert isinstance(asked, ImageToImage | Inpaint)
