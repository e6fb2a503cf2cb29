"""Inputs of the Stable Diffusion models on Replicate, as their users send them, and wild ones."""

from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.remarks import Remarks
from api.dialects.replicate.adapter import Place, settled
from api.dialects.requested import requested
from darkroom.contract.generation import GenerationRequest, ImageToImage, Inpaint, LoraAsked, RefinerAsked, TextToImage
from darkroom.contract.webhook import ENDS
from darkroom.errors import InvalidField

BASE = "https://pictures.example"
HASH = "ab" * 32
# stability-ai/sdxl, with all its defaults.
SDXL = {
    "prompt": "An astronaut riding a rainbow unicorn",
    "negative_prompt": "",
    "width": 768,
    "height": 768,
    "num_outputs": 2,
    "scheduler": "K_EULER",
    "num_inference_steps": 25,
    "guidance_scale": 7.5,
    "prompt_strength": 0.8,
    "refine": "no_refiner",
    "high_noise_frac": 0.8,
    "apply_watermark": True,
    "lora_scale": 0.6,
    "disable_safety_checker": False,
    "seed": None,
}


def asked(body: dict[str, Any], refiner: str | None = None) -> tuple[GenerationRequest, list[str]]:
    remarks = Remarks()
    found = settled(body, Place(BASE, refiner), remarks)
    return requested(found.fields, found.names), [notice.field for notice in remarks.notices]


def of_input(**fields: Any) -> tuple[GenerationRequest, list[str]]:
    return asked({"input": {"prompt": "a", **fields}})


def test_all_defaults_of_sdxl_are_taken_and_none_is_remarked_on() -> None:
    wanted = TextToImage(
        prompt=SDXL["prompt"], width=768, height=768, n=2, scheduler="euler", steps=25, guidance_scale=7.5
    )
    assert asked({"input": SDXL, "stream": True, "version": HASH}) == (wanted, [])


@pytest.mark.parametrize(
    ("said", "checked", "told"),
    [
        (True, False, []),
        (True, True, ["input.disable_safety_checker"]),
        (False, True, []),
    ],
)
def test_who_would_have_nothing_looked_at_is_told_that_it_is(said: bool, checked: bool, told: list[str]) -> None:
    remarks = Remarks()
    settled({"input": {"prompt": "a", "disable_safety_checker": said}}, Place(BASE, checked=checked), remarks)
    assert [notice.field for notice in remarks.notices] == told


def test_a_picture_and_a_mask_are_taken_with_their_strength() -> None:
    image = ImageToImage(prompt="a", image="https://else.example/a.png", strength=0.5)
    assert of_input(image="https://else.example/a.png", prompt_strength=0.5) == (image, [])
    assert of_input(init_image="AAAA") == (ImageToImage(prompt="a", image="AAAA"), [])
    files = f"{BASE}/replicate/v1/files/"
    inpaint = Inpaint(prompt="a", image=HASH, mask="cd" * 32, masked_content="fill")
    assert of_input(image=files + HASH, mask=files + "cd" * 32, masked_content="fill") == (inpaint, [])


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", ""])
def test_data_is_read_whatever_it_is_called(kind: str) -> None:
    assert of_input(image=f"data:{kind};base64,AAAA")[0] == ImageToImage(prompt="a", image="AAAA")


def test_files_of_others_are_not_taken_for_ours() -> None:
    elsewhere = f"https://pictures.example.org/replicate/v1/files/{HASH}"
    assert of_input(image=elsewhere)[0] == ImageToImage(prompt="a", image=elsewhere)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ("DDIM", "ddim"),
        ("K_EULER_ANCESTRAL", "euler_a"),
        ("DPMSolverMultistep", "dpmpp_2m"),
        ("HeunDiscrete", "heun"),
        ("KarrasDPM", "dpmpp_2m_karras"),
        ("PNDM", "pndm"),
        ("KLMS", "lms"),
        ("UniPCMultistep", "unipc"),
        ("dpmpp_3m_sde", "dpmpp_3m_sde"),
    ],
)
def test_schedulers_are_known_by_their_names_there(said: str, ours: str) -> None:
    assert of_input(scheduler=said)[0].scheduler == ours


def test_other_words_for_the_same_are_known() -> None:
    found, told = of_input(image_dimensions="512x768", output_format="jpg", output_quality=70, seed=-1)
    assert found == TextToImage(prompt="a", width=512, height=768, output_format="jpeg", output_compression=70)
    assert told == []


def test_a_refiner_is_used_where_there_is_one() -> None:
    body = {"input": {"prompt": "a", "refine": "expert_ensemble_refiner", "high_noise_frac": 0.7}}
    assert asked(body, "xl-refiner") == (
        TextToImage(prompt="a", refiner=RefinerAsked(model="xl-refiner", switch_at=0.7)),
        [],
    )
    assert asked(body)[1] == ["input.refine", "input.high_noise_frac"]
    assert of_input(refine="base_image_refiner")[1] == ["input.refine"]


def test_a_lora_that_is_served_here_may_be_named() -> None:
    found, told = of_input(lora_weights="outline", lora_scale=0.9)
    assert (found.loras, told) == ((LoraAsked(model="outline", weight=0.9),), [])
    assert of_input(lora_weights="https://else.example/lora.tar")[1] == ["input.lora_weights"]


def test_nobody_is_left_to_think_that_a_watermark_was_left_out() -> None:
    remarks = Remarks()
    settled({"input": {"prompt": "a", "apply_watermark": False}}, Place(BASE), remarks)
    (notice,) = remarks.notices
    assert (notice.field, notice.reason) == ("input.apply_watermark", "every picture is marked and signed")


def test_what_has_no_effect_is_told() -> None:
    _, told = asked({"input": {"prompt": "a", "aspect_ratio": "16:9", "eta": 1, "webhook_url": "x"}, "test": 1})
    assert told == ["test", "input.aspect_ratio", "input.eta", "input.webhook_url"]


@pytest.mark.parametrize(
    ("wanted", "events"),
    [
        (None, ENDS),
        ([], ENDS),
        (["completed"], ENDS),
        (["start", "completed"], (*ENDS, "generation.running")),
        (["logs"], ("generation.progress",)),
        (["output"], ("generation.succeeded",)),
    ],
)
def test_a_webhook_is_told_what_its_filter_lets_through(wanted: Any, events: Any) -> None:
    body = {"input": {"prompt": "a"}, "webhook": "https://else.example/", "webhook_events_filter": wanted}
    found, told = asked(body)
    assert (found.webhook_url, found.webhook_events, told) == ("https://else.example/", tuple(events), [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input"),
        ({"input": "a prompt"}, "input"),
        ({"input": {"prompt": "a", "image_dimensions": "large"}}, "input.image_dimensions"),
        ({"input": {"prompt": "a", "scheduler": "K_NONE"}}, "input.scheduler"),
        ({"input": {"prompt": "a"}, "webhook_events_filter": ["all"]}, "webhook_events_filter"),
        ({"input": {"prompt": "a"}, "webhook_events_filter": "completed"}, "webhook_events_filter"),
    ],
)
def test_a_refusal_names_the_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        asked(body)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": None}, "input.prompt"),
        ({"num_outputs": 17}, "input.num_outputs"),
        ({"num_inference_steps": 0}, "input.num_inference_steps"),
        ({"image": "AA", "prompt_strength": 2}, "input.prompt_strength"),
        ({"mask": "AA"}, "input.image"),
        ({"output_format": "gif"}, "input.output_format"),
        ({"refine": "expert_ensemble_refiner", "high_noise_frac": 7}, "input.high_noise_frac.switch_at"),
    ],
)
def test_a_wrong_value_is_found_under_the_name_it_was_sent_by(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestValidationError) as refused:
        asked({"input": {"prompt": "a", **fields}}, "xl-refiner")
    assert [".".join(map(str, error["loc"][1:])) for error in refused.value.errors()] == [field]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_INPUTS = st.dictionaries(
    st.sampled_from([*SDXL, "image", "mask", "init_image", "image_dimensions", "lora_weights", "steps", "expand"])
    | st.text(max_size=8),
    _VALUES,
    max_size=6,
)
_BODIES = st.fixed_dictionaries(
    {"input": _INPUTS | _VALUES},
    optional={"webhook": _VALUES, "webhook_completed": _VALUES, "webhook_events_filter": _VALUES, "other": _VALUES},
)


@given(_BODIES)
def test_whatever_is_sent_is_a_request_or_a_refusal(body: dict[str, Any]) -> None:
    try:
        found, _ = asked(body, "xl-refiner")
    except (InvalidField, RequestValidationError):
        return
    assert found.prompt is not None
