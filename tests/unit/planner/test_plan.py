"""From a request to a plan."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.catalog import SCHEDULERS, Catalog
from darkroom.contract.generation import MAX_SEED, TextToImage
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.webhook import ENDS
from darkroom.errors import InvalidField, UnknownModel, UnknownScheduler
from darkroom.planner import pixel_budget, plan, random_seed

SPEC = ModelSpec(
    name="portrait",
    title="portrait",
    path="/models/portrait",
    family="sd1",
    prediction_type="epsilon",
    native_width=512,
    native_height=512,
    min_size=256,
    max_size=2048,
    size_multiple=8,
    vae_scale_factor=8,
    default_steps=30,
    default_guidance_scale=7.5,
    default_scheduler="euler",
    max_prompt_tokens=77,
    max_clip_skip=11,
    text_widths=(768,),
    seconds_per_step=0.04,
    weights={"unet/diffusion_pytorch_model.safetensors": "ab" * 32},
)
CATALOG = Catalog([SPEC], default="portrait")


def planned(**fields: Any) -> GenerationPlan:
    return plan(TextToImage(prompt="a red circle", **fields), CATALOG, now=1000.0, seed_source=lambda: 7)


def warned(**fields: Any) -> list[str]:
    return [notice.field for notice in planned(**fields).warnings]


def test_what_was_left_out_is_the_models_own() -> None:
    settled = planned()
    assert (settled.model, settled.width, settled.height) == ("portrait", 512, 512)
    assert (settled.steps, settled.guidance_scale, settled.scheduler) == (30, 7.5, "euler")
    assert (settled.seeds, settled.output_compression, settled.deadline_at) == ((7,), 90, None)
    assert settled.weights == SPEC.weights
    assert settled.warnings == ()


def test_events_that_nobody_is_told_of_are_noticed() -> None:
    assert warned(webhook_events=("generation.failed",)) == ["webhook_events"]
    assert warned(webhook_events=("generation.failed",), webhook_url="https://hooks.test/") == []
    assert warned(webhook_events=ENDS[::-1]) == []  # what was spelled out as its default is as if left out


def test_what_was_asked_is_kept() -> None:
    asked = {
        "negative_prompt": "blue",
        "width": 768,
        "height": 256,
        "steps": 1,
        "guidance_scale": 3.5,
        "scheduler": "unipc",
        "output_format": "jpeg",
        "output_compression": 0,
        "deterministic": True,
        "priority": "bulk",
        "metadata": {"order": "7"},
    }
    settled = planned(model="portrait", **asked)
    assert {name: getattr(settled, name) for name in asked} == asked


def test_zero_is_a_value_and_not_an_absence() -> None:
    assert planned(seed=0).seeds == (0,)
    assert planned(guidance_scale=0.0).guidance_scale == 0.0


def test_image_i_has_seed_plus_i() -> None:
    assert planned(seed=40, n=3).seeds == (40, 41, 42)


def test_seeds_go_round_at_the_end_and_say_so() -> None:
    settled = planned(seed=MAX_SEED, n=3)
    assert settled.seeds == (MAX_SEED, 0, 1)
    assert [notice.field for notice in settled.warnings] == ["seed"]
    assert warned(seed=MAX_SEED - 2, n=3) == []


def test_a_seed_that_was_given_leaves_the_dice_alone() -> None:
    def thrown() -> int:
        raise AssertionError("a seed was drawn")

    assert plan(TextToImage(prompt="x", seed=3), CATALOG, now=0.0, seed_source=thrown).seeds == (3,)


def test_random_seeds_are_seeds_and_differ() -> None:
    drawn = {random_seed() for _ in range(64)}
    assert len(drawn) > 60
    assert all(0 <= seed <= MAX_SEED for seed in drawn)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"width": 513}, "width"),
        ({"height": 260}, "height"),
        ({"width": 248}, "width"),
        ({"height": 2056}, "height"),
        ({"width": 2048, "height": 1024}, "width"),
        ({"width": 1024, "height": 2048}, "height"),
    ],
)
def test_sizes_off_the_grid_or_past_the_limits_name_their_field(fields: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidField) as raised:
        planned(**fields)
    assert raised.value.field == field


def test_the_pixel_budget_is_reached_but_not_passed() -> None:
    assert pixel_budget(SPEC) == 1024 * 1024
    assert planned(width=2048, height=512).width == 2048


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(UnknownModel, match="portrait"):
        planned(model="nope")


def test_an_unknown_scheduler_names_those_there_are() -> None:
    with pytest.raises(UnknownScheduler, match="dpmpp_2m") as raised:
        planned(scheduler="nope")
    assert raised.value.field == "scheduler"


def test_more_steps_than_a_distilled_scheduler_takes_are_refused() -> None:
    assert planned(scheduler="lcm", steps=50).steps == 50
    with pytest.raises(InvalidField, match="50") as raised:
        planned(scheduler="lcm", steps=51)
    assert raised.value.field == "steps"


def test_a_default_of_more_steps_than_the_scheduler_takes_is_lowered() -> None:
    eager = SPEC.model_copy(update={"default_steps": 80})

    settled = plan(TextToImage(prompt="x", scheduler="tcd"), Catalog([eager], default="portrait"), now=0.0)

    assert settled.steps == 50


def test_passes_are_what_is_paid_for() -> None:
    assert planned(scheduler="heun_karras").predicted_seconds == pytest.approx(59 * 0.04)
    assert planned(scheduler="pndm").predicted_seconds == pytest.approx(31 * 0.04)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_can_be_asked_for(scheduler: str) -> None:
    assert planned(scheduler=scheduler).scheduler == scheduler


def test_a_negative_prompt_without_guidance_is_noticed() -> None:
    assert warned(negative_prompt="blue", guidance_scale=1.0) == ["negative_prompt"]
    assert warned(negative_prompt="blue", guidance_scale=1.1) == []
    assert warned(guidance_scale=1.0) == []


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_weights_out_of_range_are_noticed(field: str) -> None:
    request = TextToImage(**{"prompt": "x", field: "a (red:99999999) circle"})

    (notice,) = plan(request, CATALOG, now=0.0).warnings
    assert (notice.field, "10" in notice.reason) == (field, True)


def test_layers_left_out_are_those_there_are() -> None:
    assert planned().clip_skip == 0
    assert planned(clip_skip=11).clip_skip == 11
    with pytest.raises(InvalidField, match="11") as raised:
        planned(clip_skip=12)
    assert raised.value.field == "clip_skip"


def test_compression_of_png_is_noticed() -> None:
    assert warned(output_compression=50) == ["output_compression"]
    assert warned(output_compression=50, output_format="webp") == []


def test_a_deadline_is_a_moment() -> None:
    assert planned(deadline=2.5).deadline_at == 1002.5


def test_the_prediction_grows_with_images_steps_pixels_and_guidance() -> None:
    alone = planned().predicted_seconds
    assert alone == pytest.approx(30 * 0.04)
    assert planned(n=4).predicted_seconds == pytest.approx(4 * alone)
    assert planned(steps=60).predicted_seconds == pytest.approx(2 * alone)
    assert planned(width=1024, height=1024).predicted_seconds == pytest.approx(4 * alone)
    assert planned(guidance_scale=1.0).predicted_seconds == pytest.approx(alone / 2)


@settings(deadline=None)
@given(
    width=st.integers(8, 8192),
    height=st.integers(8, 8192),
    n=st.integers(1, 16),
    seed=st.integers(0, MAX_SEED),
)
def test_a_plan_is_on_the_grid_and_within_the_budget_or_there_is_none(
    width: int, height: int, n: int, seed: int
) -> None:
    try:
        settled = planned(width=width, height=height, n=n, seed=seed)
    except InvalidField:
        return
    assert (settled.width, settled.height) == (width, height)
    assert width % 8 == height % 8 == 0
    assert width * height <= pixel_budget(SPEC)
    assert len(set(settled.seeds)) == n
    assert GenerationPlan.model_validate_json(settled.model_dump_json()) == settled


def test_words_that_a_jpeg_has_no_room_for_are_left_out_and_told() -> None:
    long = TextToImage(prompt="🐈" * 10_000, negative_prompt="🐈" * 10_000, output_format="jpeg", infotext=True)
    planned = plan(long, CATALOG, now=0.0)
    assert not planned.infotext
    assert [notice.field for notice in planned.warnings] == ["infotext"]
    assert plan(long.model_copy(update={"output_format": "webp"}), CATALOG, now=0.0).infotext


def test_a_jpeg_has_room_for_words_of_common_length() -> None:
    asked = TextToImage(prompt="a" * 10_000, negative_prompt="b" * 10_000, output_format="jpeg", infotext=True)
    assert plan(asked, CATALOG, now=0.0).infotext
