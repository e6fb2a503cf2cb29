"""Labels that people can read: asked for, allowed, and never taken away."""

from typing import Any

import pytest
from pydantic import ValidationError

from darkroom.catalog import Catalog
from darkroom.contract.generation import TextToImage
from darkroom.contract.plan import GenerationPlan
from darkroom.errors import InvalidField
from darkroom.planner import Labels, plan
from tests.unit.planner.test_plan import SPEC

CATALOG = Catalog([SPEC], default="portrait")
CHOICES = ("AI-generated", "KI-generiert")


def planned(asked: Any, always: str = "", choices: tuple[str, ...] = CHOICES) -> GenerationPlan:
    request = TextToImage(prompt="a", seed=1, **({} if asked == "left out" else {"visible_label": asked}))
    return plan(request, CATALOG, now=0.0, labels=Labels(always, choices))


@pytest.mark.parametrize(
    ("always", "asked", "drawn"),
    [
        ("", "left out", ""),
        ("", None, ""),
        ("", False, ""),
        ("", True, "AI-generated"),
        ("", "KI-generiert", "KI-generiert"),
        ("AI", "left out", "AI"),
        ("AI", None, "AI"),
        ("AI", False, "AI"),
        ("AI", True, "AI"),
        ("AI", "AI", "AI"),
        ("AI", "KI-generiert", "KI-generiert"),
    ],
)
def test_a_request_may_add_a_label_or_choose_another_and_never_lose_one(always: str, asked: Any, drawn: str) -> None:
    made = planned(asked, always)
    assert made.visible_label == drawn
    told = [notice.reason for notice in made.warnings if notice.field == "visible_label"]
    assert told == (["every picture of this service is labelled 'AI'"] if asked is False and always else [])


def test_words_that_are_not_allowed_are_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidField, match="known: 'AI', 'AI-generated', 'KI-generiert'") as raised:
        planned("made by hand", "AI")
    assert raised.value.field == "visible_label"


@pytest.mark.parametrize("asked", [True, "AI-generated"])
def test_where_no_label_is_drawn_none_can_be_asked_for(asked: Any) -> None:
    with pytest.raises(InvalidField, match="known: none"):
        planned(asked, choices=())


@pytest.mark.parametrize("wrong", ["", "x" * 17, "\0", "\ud800", 1, 0, ["AI"]])
def test_what_is_no_label_is_no_request(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        TextToImage(prompt="a", visible_label=wrong)
