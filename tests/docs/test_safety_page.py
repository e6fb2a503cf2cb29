"""The page on safety: its list is one, and its service is asked and answered as in the code."""

import json

import numpy as np

from darkroom.safety.hook import MOST_ANSWER, QUALITY, SIDE, HookAnswer, shown
from darkroom.safety.prompt_list import PromptList
from darkroom.settings import Settings
from tests.docs.pages import blocks, page
from tests.unit.safety.beside_children import ORDINARY, PLAIN

PAGE = "docs/safety.md"


def in_json() -> list[dict[str, object]]:
    return [json.loads(block.text) for block in blocks(PAGE) if block.language == "json"]


def test_the_list_that_it_shows_finds_what_it_says() -> None:
    (text,) = [block.text for block in blocks(PAGE) if block.language == "text"]
    shown_list = PromptList("shown", text.encode())
    assert shown_list.scores("a deep wound")["violence"] == 0.5
    assert shown_list.scores("dismembered")["violence"] == 1.0
    assert shown_list.scores("a 9 year old, an assault weapon")["minors_with_weapons"] == 0.0
    assert shown_list.scores("9 years old, an assault weapon")["minors_with_weapons"] == 1.0
    assert shown_list.scores("a kid with a glue gun")["minors_with_weapons"] == 0.0


def test_the_service_is_asked_as_it_says() -> None:
    prompt, picture, _ = in_json()
    assert prompt.keys() == {"kind", "prompt"}
    asked = {"kind": "picture", **shown(np.zeros((768, 1024, 3), np.uint8))}
    assert picture.keys() == asked.keys()
    assert {name: picture[name] for name in picture if name != "image"} == {
        name: asked[name] for name in asked if name != "image"
    }
    assert f"quality {QUALITY} with no side above {SIDE} pixels" in page(PAGE)
    assert f"more than {MOST_ANSWER // 1024} KiB" in page(PAGE)


def test_the_service_may_answer_as_it_says() -> None:
    *_, answer = in_json()
    assert HookAnswer.model_validate_json(json.dumps(answer)).categories == {"weapon": 0.93, "sexual": 0.01}


def test_the_default_threshold_is_the_one_it_names() -> None:
    assert f"from `DARKROOM_SAFETY_THRESHOLD`, {Settings().safety_threshold}." in page(PAGE)


def test_as_many_prompts_are_tried_on_the_list_that_ships_as_it_says() -> None:
    assert f"{len(PLAIN)} plain ways of it are tested, and {len(ORDINARY)} ordinary prompts" in page(PAGE)
