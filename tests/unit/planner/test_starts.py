"""From a request with pictures to where its latents begin."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from darkroom.catalog import Catalog
from darkroom.contract.generation import GenerationRequest, TextToImage, task_of
from darkroom.contract.inputs import Inputs, MaskedPicture, NoPicture, OnePicture
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import Box, FromImage, FromInside, FromMask, FromNoise, PictureRef
from darkroom.errors import InvalidField
from darkroom.planner import plan
from darkroom.planner.seen import seen_part
from tests.unit.planner.test_plan import CATALOG, SPEC


def ref(width: int = 512, height: int = 512, letter: str = "a") -> PictureRef:
    return PictureRef(sha256=letter * 64, width=width, height=height)


def inputs_of(fields: dict[str, Any], width: int, height: int, masked: Box | None) -> Inputs:
    image = ref(width, height)
    if "mask" in fields:
        box = masked or Box(left=0, top=0, width=width, height=height)
        return MaskedPicture(image=image, mask=ref(width, height, "b"), masked=box)
    return OnePicture(image=image) if "image" in fields else NoPicture()


def planned(
    size: tuple[int, int] = (512, 512), masked: Box | None = None, catalog: Catalog = CATALOG, **fields: Any
) -> GenerationPlan:
    """The plan of a request with these fields, for pictures of `size` wherever it has any."""
    asked = {"prompt": "a red circle", **fields}
    request = TypeAdapter[GenerationRequest](GenerationRequest).validate_python(asked)
    return plan(request, catalog, inputs_of(asked, *size, masked), now=0.0, seed_source=lambda: 7)


def redrawn(size: tuple[int, int] = (512, 512), **fields: Any) -> GenerationPlan:
    return planned(size, image="x", **fields)


def repainted(size: tuple[int, int] = (512, 512), **fields: Any) -> GenerationPlan:
    return planned(size, image="x", mask="x", **fields)


def expanded(size: tuple[int, int], **expand: int) -> GenerationPlan:
    return planned(size, image="x", expand=expand)


def refused(**fields: Any) -> str:
    with pytest.raises(InvalidField) as raised:
        planned(**fields)
    return raised.value.field


def noticed(settled: GenerationPlan) -> list[str]:
    return [notice.field for notice in settled.warnings]


@pytest.mark.parametrize(
    ("fields", "task"),
    [
        ({}, "text_to_image"),
        ({"image": "x"}, "image_to_image"),
        ({"image": "x", "mask": "x"}, "inpaint"),
        ({"image": "x", "expand": {"left": 8}}, "outpaint"),
        ({"image": None, "mask": None}, "text_to_image"),
        ({"task": "inpaint"}, "inpaint"),
    ],
)
def test_the_task_is_named_or_follows_from_what_is_there(fields: dict[str, Any], task: str) -> None:
    assert task_of({"prompt": "x", **fields}) == task


def test_words_begin_with_noise() -> None:
    settled = planned()
    assert settled.start == FromNoise()
    assert settled.computed_steps == settled.steps


def test_pictures_of_another_request_are_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        plan(TypeAdapter[Any](GenerationRequest).validate_python({"prompt": "x", "image": "x"}), CATALOG, now=0.0)


# --- steps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "strength", "computed"), [(100, 0.29, 28), (30, 0.75, 22), (30, 1.0, 30), (2, 0.5, 1)]
)
def test_steps_are_truncated_as_diffusers_does(steps: int, strength: float, computed: int) -> None:
    settled = redrawn(steps=steps, strength=strength)
    assert (settled.steps, settled.computed_steps) == (steps, computed)


def test_what_is_not_computed_is_not_charged() -> None:
    whole, half = redrawn(strength=1.0, steps=30), redrawn(strength=0.5, steps=30)
    assert half.predicted_seconds == pytest.approx(whole.predicted_seconds / 2)


@pytest.mark.parametrize(
    "fields", [{}, {"mask": "x"}, {"expand": {"left": 8}}], ids=["image_to_image", "inpaint", "outpaint"]
)
def test_less_than_one_step_is_refused(fields: dict[str, Any]) -> None:
    assert refused(image="x", steps=10, strength=0.09, **fields) == "strength"


# --- image to image --------------------------------------------------------------------------------------------------


def test_a_picture_is_redrawn_at_its_own_size() -> None:
    settled = redrawn((640, 384))
    assert (settled.width, settled.height) == (640, 384)
    assert settled.start == FromImage(image=ref(640, 384), strength=0.75, steps=22)
    assert noticed(settled) == []


def test_a_picture_off_the_grid_is_scaled_and_it_says_so() -> None:
    settled = redrawn((509, 389))
    assert (settled.width, settled.height) == (512, 392)
    assert noticed(settled) == ["image"]
    assert "509x389 to 512x392" in settled.warnings[0].reason


def test_one_side_asked_for_keeps_the_shape_of_the_picture() -> None:
    settled = redrawn((3000, 1500), width=512)
    assert (settled.width, settled.height) == (512, 256)
    assert noticed(settled) == ["image"]


@pytest.mark.parametrize(("width", "height"), [(4096, 512), (2048, 1024), (100, 100)])
def test_a_picture_past_the_models_limits_is_refused_by_name(width: int, height: int) -> None:
    with pytest.raises(InvalidField) as raised:
        redrawn((width, height))
    assert raised.value.field == "image"


# --- inpainting ------------------------------------------------------------------------------------------------------


def test_the_whole_picture_is_seen_unless_only_the_mask_is_asked_for() -> None:
    settled = repainted((640, 384), mask_blur=3, masked_content="latent_noise", strength=0.9)
    assert settled.start == FromMask(
        image=ref(640, 384),
        mask=ref(640, 384, "b"),
        strength=0.9,
        steps=27,
        masked_content="latent_noise",
        feather=3,
        seen=Box(left=0, top=0, width=640, height=384),
    )
    assert noticed(settled) == []


def test_only_the_masked_part_is_seen_with_its_surroundings_in_the_shape_of_the_model() -> None:
    settled = repainted((3000, 2000), masked=Box(left=1000, top=900, width=100, height=40), only_masked=True)
    assert isinstance(settled.start, FromMask)
    assert settled.start.seen == Box(left=968, top=838, width=164, height=164)
    assert (settled.width, settled.height) == (512, 512)


def test_a_picture_too_small_to_carry_a_watermark_is_not_repainted() -> None:
    with pytest.raises(InvalidField) as raised:
        repainted((127, 600), only_masked=True)
    assert raised.value.field == "image"


def test_what_has_no_effect_is_noticed() -> None:
    assert noticed(repainted(masked_content="latent_noise")) == ["masked_content"]
    assert noticed(repainted(masked_content="latent_noise", strength=0.9)) == []
    assert noticed(repainted(masked_content="fill")) == []
    assert noticed(repainted(mask_padding=8)) == ["mask_padding"]
    assert noticed(repainted((509, 512))) == ["image"]


# --- outpainting -----------------------------------------------------------------------------------------------------


def test_the_picture_grows_by_what_was_asked() -> None:
    settled = expanded((512, 256), left=64, bottom=128)
    assert (settled.width, settled.height) == (576, 384)
    assert isinstance(settled.start, FromInside)
    assert (settled.start.left, settled.start.top, settled.start.feather) == (64, 0, 8)
    assert noticed(settled) == []


def test_off_the_grid_the_margins_grow_and_never_the_picture() -> None:
    settled = expanded((509, 301), left=60, bottom=10)
    assert (settled.width, settled.height) == (576, 312)
    assert isinstance(settled.start, FromInside)
    assert (settled.start.left, settled.start.top) == (67, 0)
    assert noticed(settled) == ["expand.left", "expand.bottom"]


def test_growth_past_the_models_limits_is_refused_by_name() -> None:
    assert refused(image="x", expand={"right": 4096}) == "expand"


# --- models that only inpaint ----------------------------------------------------------------------------------------


def test_a_model_for_inpainting_alone_does_nothing_else() -> None:
    catalog = Catalog([SPEC.model_copy(update={"tasks": ("inpaint", "outpaint")})], default="portrait")
    assert repainted(catalog=catalog).task == "inpaint"
    assert refused(catalog=catalog) == "model"
    assert refused(catalog=catalog, image="x") == "model"
    with pytest.raises(InvalidField, match="inpaint and outpaint"):
        plan(TextToImage(prompt="x"), catalog, now=0.0)


# --- for all ---------------------------------------------------------------------------------------------------------

SIDES = st.integers(1, 3000)


@st.composite
def masked_pictures(draw: st.DrawFn) -> tuple[Box, Box]:
    """(the masked part, the whole picture)."""
    width, height = draw(SIDES), draw(SIDES)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    masked = Box(
        left=left, top=top, width=draw(st.integers(1, width - left)), height=draw(st.integers(1, height - top))
    )
    return masked, Box(left=0, top=0, width=width, height=height)


@settings(deadline=None, max_examples=40)
@given(masked_pictures(), st.integers(0, 512), st.tuples(st.integers(8, 2048), st.integers(8, 2048)))
def test_what_is_seen_holds_all_that_is_masked_and_lies_in_the_picture(
    picture: tuple[Box, Box], padding: int, size: tuple[int, int]
) -> None:
    masked, whole = picture
    seen = seen_part(masked, padding, size, whole)
    assert 0 <= seen.left <= masked.left
    assert 0 <= seen.top <= masked.top
    assert masked.left + masked.width <= seen.left + seen.width <= whole.width
    assert masked.top + masked.height <= seen.top + seen.height <= whole.height
    if seen.width < whole.width and seen.height < whole.height:
        assert abs(seen.width * size[1] - seen.height * size[0]) <= max(size)


@settings(deadline=None, max_examples=40)
@given(SIDES, SIDES, *(st.integers(0, 300) for _ in range(4)))
def test_an_expanded_picture_is_on_the_grid_and_holds_the_whole_of_the_old_one(
    width: int, height: int, left: int, top: int, right: int, bottom: int
) -> None:
    if not left + top + right + bottom:
        return
    try:
        settled = expanded((width, height), left=left, top=top, right=right, bottom=bottom)
    except InvalidField:
        return
    start = settled.start
    assert isinstance(start, FromInside)
    assert settled.width % 8 == settled.height % 8 == 0
    assert start.left >= left
    assert start.top >= top
    assert 0 <= settled.width - start.left - width - right < 8
    assert 0 <= settled.height - start.top - height - bottom < 8
    assert GenerationPlan.model_validate_json(settled.model_dump_json()) == settled
