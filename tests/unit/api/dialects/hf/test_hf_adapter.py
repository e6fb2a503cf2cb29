"""Bodies of Hugging Face's clients, as they were recorded, and wild ones."""

from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.hf.adapter import of_picture, settled
from api.dialects.remarks import Remarks
from api.dialects.requested import requested
from darkroom.contract.generation import GenerationRequest, ImageToImage, Inpaint, TextToImage
from darkroom.errors import InvalidField, NotFound

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAADElEQVR4nGNgGB4AAADIAAGtQHYiAAAAAElFTkSuQmCC"


def asked(body: dict[str, Any], task: str | None = None) -> tuple[GenerationRequest, list[str]]:
    remarks = Remarks()
    found = settled(body, remarks, task)
    return requested(found.fields, found.names), [notice.field for notice in remarks.notices]


def test_words_alone_are_words() -> None:
    """huggingface_hub 2.4.0: text_to_image("a cat")"""
    assert asked({"inputs": "a cat", "parameters": {}}) == (TextToImage(prompt="a cat"), [])


def test_all_parameters_of_text_to_image_have_their_effect() -> None:
    parameters = {
        "negative_prompt": "x",
        "height": 64,
        "width": 72,
        "num_inference_steps": 3,
        "guidance_scale": 2.0,
        "scheduler": "EulerDiscreteScheduler",
        "seed": 4,
        "clip_skip": 1,
    }
    wanted = TextToImage(
        prompt="a cat",
        negative_prompt="x",
        height=64,
        width=72,
        steps=3,
        guidance_scale=2.0,
        scheduler="euler",
        seed=4,
        clip_skip=1,
    )
    assert asked({"inputs": "a cat", "parameters": parameters}) == (wanted, [])


def test_with_a_prompt_among_the_parameters_inputs_are_a_picture() -> None:
    """huggingface_hub 2.4.0: image_to_image(png, prompt="dog", strength=0.5, target_size=...)"""
    parameters = {"prompt": "dog", "target_size": {"width": 64, "height": 72}, "strength": 0.5}
    wanted = ImageToImage(prompt="dog", image=PNG, strength=0.5, width=64, height=72)
    assert asked({"inputs": PNG, "parameters": parameters}) == (wanted, [])


@pytest.mark.parametrize("beginning", [PNG, "/9j/4AAQSkZJRg==", "UklGRiIAAABXRUJQ", "data:image/png;base64,AAAA"])
def test_a_picture_without_a_prompt_is_not_taken_for_words(beginning: str) -> None:
    found, _ = asked({"inputs": beginning, "parameters": {"strength": 0.5}})
    assert found == ImageToImage(prompt="", image=beginning, strength=0.5)


def test_a_picture_that_comes_alone_begins_a_picture() -> None:
    found = of_picture(PNG)
    assert requested(found.fields, found.names) == ImageToImage(prompt="", image=PNG)


def test_a_mask_makes_it_inpainting() -> None:
    parameters = {"prompt": "dog", "mask_image": PNG, "masked_content": "fill"}
    wanted = Inpaint(prompt="dog", image=PNG, mask=PNG, masked_content="fill")
    assert asked({"inputs": PNG, "parameters": parameters}) == (wanted, [])


def test_a_picture_may_stand_among_the_parameters_as_in_diffusers() -> None:
    assert asked({"inputs": "dog", "parameters": {"image": PNG}})[0] == ImageToImage(prompt="dog", image=PNG)


def test_a_task_in_the_path_decides() -> None:
    found, _ = asked({"inputs": "AAAA"}, "image-to-image")
    assert found == ImageToImage(prompt="", image="AAAA")
    with pytest.raises(NotFound, match="text-to-image and image-to-image"):
        asked({"inputs": "a cat"}, "text-generation")


def test_options_of_the_old_api_say_nothing() -> None:
    body = {"inputs": "a cat", "options": {"use_cache": False, "wait_for_model": True}, "parameters": None}
    assert asked(body) == (TextToImage(prompt="a cat"), [])


def test_what_has_no_effect_is_told_and_what_says_nothing_is_not() -> None:
    parameters = {"num_images_per_prompt": 1, "seed": -1, "eta": 0.3, "width": None, "a b": 1}
    found, told = asked({"inputs": "a cat", "parameters": parameters, "stream": True})
    assert found == TextToImage(prompt="a cat")
    assert told == ["stream", "parameters.eta", "parameters.?"]
    assert asked({"inputs": "a cat", "parameters": {"n": 4}})[1] == ["parameters.n"]


def test_of_two_names_for_one_thing_the_second_is_told() -> None:
    found, told = asked({"inputs": "a cat", "parameters": {"steps": 3, "num_inference_steps": 9}})
    assert found.steps == 3
    assert told == ["parameters.num_inference_steps"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "inputs"),
        ({"inputs": ["a", "b"]}, "inputs"),
        ({"inputs": "a", "parameters": [1]}, "parameters"),
        ({"inputs": PNG, "parameters": {"target_size": 7}}, "parameters.target_size"),
        ({"inputs": "a", "parameters": {"scheduler": "FooScheduler"}}, "parameters.scheduler"),
    ],
)
def test_a_refusal_names_the_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        asked(body)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"num_inference_steps": 0}, "parameters.num_inference_steps"),
        ({"num_inference_steps": True}, "parameters.num_inference_steps"),
        ({"width": "512"}, "parameters.width"),
        ({"target_size": {"height": 1.5}}, "parameters.target_size.height"),
        ({"prompt": 7}, "parameters.prompt"),
    ],
)
def test_a_wrong_value_is_found_under_the_name_it_was_sent_by(parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestValidationError) as refused:
        asked({"inputs": PNG, "parameters": {"prompt": "a", **parameters}})
    assert [".".join(map(str, error["loc"][1:])) for error in refused.value.errors()] == [field]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["prompt", "image", "mask_image", "target_size", "steps", "num_inference_steps", "n", "seed", "scheduler", "expand"]
)
_PARAMETERS = st.dictionaries(_NAMES | st.text(max_size=8), _VALUES, max_size=6)
_BODIES = st.dictionaries(st.sampled_from(["inputs", "options", "parameters"]) | st.text(max_size=8), _VALUES)


@given(_BODIES | st.fixed_dictionaries({"inputs": st.text(max_size=20), "parameters": _PARAMETERS}))
def test_whatever_is_sent_is_a_request_or_a_refusal(body: dict[str, Any]) -> None:
    try:
        found, _ = asked(body)
    except (InvalidField, RequestValidationError):
        return
    assert found.prompt is not None
