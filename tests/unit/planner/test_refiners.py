"""From a request for a refiner to the stage that it makes."""

from typing import Any

import pytest

from darkroom.catalog import SCHEDULERS, Catalog, Controlnets
from darkroom.catalog.loras import Loras
from darkroom.catalog.schedulers import second_order
from darkroom.contract.generation import LoraAsked, TextToImage
from darkroom.contract.inputs import NoPicture
from darkroom.contract.lora import LoraSpec
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import Refiner
from darkroom.errors import InvalidField
from darkroom.planner import plan
from tests.unit.planner.test_controls import PICTURE, net
from tests.unit.planner.test_plan import SPEC
from tests.unit.planner.test_starts import planned as planned_anything

XL = {"native_width": 1024, "native_height": 1024, "min_size": 512, "max_size": 4096, "latent_scaling": 0.13025}
BASE = SPEC.model_copy(update={"name": "xl", "family": "sdxl", **XL})
POLISH = SPEC.model_copy(
    update={
        "name": "polish",
        "family": "sdxl_refiner",
        "tasks": ("image_to_image",),
        "weights": {"unet/a.safetensors": "cd" * 32},
        "seconds_per_step": 0.03,
        "max_clip_skip": 5,
        **XL,
    }
)
FOREIGN = POLISH.model_copy(update={"name": "foreign", "latent_scaling": 0.18215})
VELOCITY = POLISH.model_copy(update={"name": "velocity", "prediction_type": "v_prediction"})
INPAINTING = BASE.model_copy(update={"name": "hole", "tasks": ("inpaint", "outpaint")})
NEON = LoraSpec(
    name="neon",
    path="/neon.safetensors",
    sha256="ef" * 32,
    bytes=1,
    format="kohya",
    rank=1,
    layers=1,
    networks=("unet",),
    models=("xl",),
    misfits={},
)
LINES = net("lines", "canny").model_copy(update={"models": ("xl",)})
CATALOG = Catalog(
    [SPEC, BASE, POLISH, FOREIGN, VELOCITY, INPAINTING],
    default="xl",
    loras=Loras([NEON]),
    controlnets=Controlnets([LINES]),
)


def planned(**fields: Any) -> GenerationPlan:
    asked = {"prompt": "x", "refiner": {"model": "polish"}, "scheduler": "euler", **fields}
    return plan(TextToImage(**asked), CATALOG, now=0.0, seed_source=lambda: 7)


def refused(**fields: Any) -> str:
    with pytest.raises(InvalidField) as raised:
        planned(**fields)
    return raised.value.field


def test_the_stage_names_the_refiners_weights_by_their_content() -> None:
    settled = planned(refiner={"model": "polish", "switch_at": 0.7})
    assert settled.later_stages == (Refiner(model="polish", weights=POLISH.weights, switch_at=0.7),)
    assert settled.models == ("xl", "polish")
    assert settled.final_size == (1024, 1024)
    assert GenerationPlan.model_validate_json(settled.model_dump_json()) == settled


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "portrait"}, "refiner"),
        ({"model": "polish"}, "model"),
        ({"hires": {}}, "refiner"),
        ({"refiner": {"model": "nobody"}}, "refiner.model"),
        ({"refiner": {"model": "xl"}}, "refiner.model"),
        ({"refiner": {"model": "portrait"}}, "refiner.model"),
        ({"refiner": {"model": "foreign"}}, "refiner.model"),
        ({"refiner": {"model": "velocity"}}, "refiner.model"),
        ({"steps": 1}, "refiner"),
        ({"clip_skip": 6}, "clip_skip"),
    ],
)
def test_what_cannot_be_refined_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    assert refused(**fields) == field


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_schedulers_of_two_passes_a_step_are_refused(scheduler: str) -> None:
    if second_order(scheduler):
        assert refused(scheduler=scheduler) == "scheduler"
    else:
        assert planned(scheduler=scheduler).later_stages


def test_a_base_for_inpainting_alone_is_not_refined() -> None:
    with pytest.raises(InvalidField) as raised:
        planned_anything(
            (1024, 1024),
            catalog=CATALOG,
            model="hole",
            scheduler="euler",
            image="x",
            mask="x",
            refiner={"model": "polish"},
        )
    assert raised.value.field == "refiner"


@pytest.mark.parametrize(
    ("steps", "switch_at", "base"), [(2, 0.8, 1), (20, 0.99, 19), (20, 0.01, 1), (10, 0.96, 9), (2, 0.01, 1)]
)
def test_how_the_steps_are_shared_out_is_left_to_the_engine(steps: int, switch_at: float, base: int) -> None:
    """It knows the noise levels, and gives each a pass; the planner only guesses what that costs."""
    settled = planned(steps=steps, scheduler="euler_karras", refiner={"model": "polish", "switch_at": switch_at})
    assert settled.predicted_seconds == pytest.approx(base * 0.04 + (steps - base) * 0.03)


def test_a_picture_so_little_redrawn_that_there_is_one_step_is_refused() -> None:
    fields: dict[str, Any] = {"catalog": CATALOG, "scheduler": "euler", "image": "x", "steps": 20}
    refiner = {"model": "polish", "switch_at": 0.5}
    assert planned_anything((1024, 1024), strength=0.1, refiner=refiner, **fields).later_stages
    with pytest.raises(InvalidField) as raised:
        planned_anything((1024, 1024), strength=0.05, refiner=refiner, **fields)
    assert raised.value.field == "refiner"


def steered(scheduler: str = "euler", **control: float) -> GenerationPlan:
    """20 steps shared half and half, and a control."""
    asked = {"prompt": "x", "steps": 20, "scheduler": scheduler, "refiner": {"model": "polish", "switch_at": 0.5}}
    request = TextToImage.model_validate(
        {**asked, "controlnets": ({"type": "canny", "image": "x", "preprocess": False, **control},)}
    )
    return plan(request, CATALOG, NoPicture(controls=(PICTURE,)), now=0.0, seed_source=lambda: 7)


def test_a_control_costs_the_bases_passes_alone() -> None:
    assert steered().predicted_seconds == pytest.approx(10 * 0.04 * 1.4 + 10 * 0.03)
    assert steered(start=0.25).predicted_seconds == pytest.approx(10 * 0.04 + 5 * 0.04 * 0.4 + 10 * 0.03)


def test_a_control_that_begins_when_the_refiner_has_taken_over_is_left_out_and_said() -> None:
    settled = steered(start=0.6)
    assert settled.controls == ()
    assert [notice.field for notice in settled.warnings] == ["controlnets", "controlnets.0.start"]


def test_a_control_is_kept_where_only_the_engine_knows_when_the_refiner_takes_over() -> None:
    assert steered("euler_karras", start=0.6).controls
    assert steered(start=0.5).controls, "by a rounding the base may make one pass more"


def test_loras_are_the_bases_and_it_says_so() -> None:
    settled = planned(loras=(LoraAsked(model="neon"),))
    assert [notice.field for notice in settled.warnings] == ["loras"]
    assert planned(loras=(LoraAsked(model="neon", weight=0.0),)).warnings[0].field == "loras.0.weight"


def test_the_prediction_counts_each_models_own_steps() -> None:
    settled = planned(steps=20, refiner={"model": "polish", "switch_at": 0.75})
    assert settled.predicted_seconds == pytest.approx(15 * 0.04 + 5 * 0.03)
