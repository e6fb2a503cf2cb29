"""From a request for hires-fix to its second stage."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from darkroom.contract.generation import GenerationRequest
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import Hires
from darkroom.errors import InvalidField
from darkroom.planner import pixel_budget
from tests.unit.planner.test_plan import SPEC, planned


def hires(plan: GenerationPlan) -> Hires:
    (stage,) = plan.later_stages
    assert isinstance(stage, Hires)
    return stage


def refused(**fields: Any) -> str:
    with pytest.raises(InvalidField) as raised:
        planned(**fields)
    return raised.value.field


def test_what_was_left_out_is_twice_the_size_at_the_same_steps() -> None:
    settled = planned(steps=20, hires={})
    assert hires(settled) == Hires(
        width=1024, height=1024, upscaler="latent", strength=0.7, steps=20, computed_steps=14
    )
    assert (settled.width, settled.height, settled.final_size) == (512, 512, (1024, 1024))
    assert settled.warnings == ()


def test_a_picture_without_hires_is_made_in_one_stage() -> None:
    assert planned().later_stages == ()
    assert planned(width=768, height=256).final_size == (768, 256)


def test_what_was_asked_is_kept() -> None:
    settled = planned(width=512, height=256, hires={"scale": 1.5, "strength": 0.35, "steps": 10, "upscaler": "lanczos"})
    assert hires(settled) == Hires(width=768, height=384, upscaler="lanczos", strength=0.35, steps=10, computed_steps=3)


def test_a_size_off_the_grid_is_brought_to_it_and_it_says_so() -> None:
    settled = planned(hires={"scale": 1.3})
    assert settled.final_size == (664, 664)
    (notice,) = settled.warnings
    assert (notice.field, "665.6x665.6 became 664x664" in notice.reason) == ("hires.scale", True)


def test_a_size_that_floats_miss_by_a_hair_is_no_other_size() -> None:
    settled = planned(width=400, height=400, hires={"scale": 1.12})
    assert (settled.final_size, settled.warnings) == ((448, 448), ())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"hires": {"scale": 2.1}}, "hires.scale"),
        ({"hires": {"scale": 4.0}, "width": 768, "height": 256}, "hires.scale"),
        ({"hires": {"scale": 1.001}}, "hires.scale"),
        ({"hires": {"strength": 0.01}}, "hires.strength"),
        ({"hires": {"steps": 1}}, "hires.strength"),
        ({"hires": {"steps": 51}, "scheduler": "lcm"}, "hires.steps"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    assert refused(**fields) == field


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"hires": {"scale": 1.0}}, "scale"),
        ({"hires": {"scale": 4.5}}, "scale"),
        ({"hires": {"upscaler": "esrgan"}}, "upscaler"),
        ({"hires": {"strength": 0.0}}, "strength"),
        ({"hires": {"scales": 2.0}}, "scales"),
        ({"hires": {}, "image": "x"}, "hires"),
    ],
)
def test_what_the_contract_forbids_names_its_field(fields: dict[str, Any], at: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter[GenerationRequest](GenerationRequest).validate_python({"prompt": "x", **fields})
    assert raised.value.errors()[0]["loc"][-1] == at


def test_the_prediction_holds_both_stages_at_their_sizes() -> None:
    settled = planned(steps=20, n=2, hires={"strength": 0.5, "steps": 30})
    assert settled.predicted_seconds == pytest.approx(2 * (20 + 15 * 4) * SPEC.seconds_per_step)
    heun = planned(steps=20, scheduler="heun", hires={"strength": 0.5})
    assert heun.predicted_seconds == pytest.approx((39 + 19 * 4) * SPEC.seconds_per_step)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(32, 256).map(lambda eighth: 8 * eighth),
    st.integers(32, 256).map(lambda eighth: 8 * eighth),
    st.floats(1, 4, exclude_min=True),
)
def test_a_final_size_is_on_the_grid_and_within_the_budget_or_refused(width: int, height: int, scale: float) -> None:
    try:
        settled = planned(width=width, height=height, hires={"scale": scale})
    except InvalidField:
        return
    wide, high = settled.final_size
    assert wide % 8 == high % 8 == 0
    assert abs(wide - width * scale) <= 4
    assert abs(high - height * scale) <= 4
    assert wide * high <= pixel_budget(SPEC)
    assert GenerationPlan.model_validate_json(settled.model_dump_json()) == settled
