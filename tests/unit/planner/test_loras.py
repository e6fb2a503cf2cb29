"""LoRAs of a request: settled by content, refused where they do not fit."""

from typing import Any

import pytest
from pydantic import ValidationError

from darkroom.catalog import Catalog, Loras
from darkroom.contract.generation import MAX_LORAS, TextToImage
from darkroom.contract.lora import LoraSpec
from darkroom.contract.plan import GenerationPlan
from darkroom.errors import InvalidField, LoraMisfit, UnknownLora
from darkroom.planner import plan
from tests.unit.planner.test_plan import SPEC


def lora(name: str, sha256: str | None = None, misfits: dict[str, str] | None = None) -> LoraSpec:
    return LoraSpec(
        name=name,
        path=f"/loras/{name}.safetensors",
        sha256=sha256 or name,
        bytes=1,
        format="kohya",
        rank=4,
        layers=1,
        networks=("unet",),
        models=() if misfits else ("portrait",),
        misfits=misfits or {},
    )


KNOWN = Loras([lora("neon"), lora("ink"), lora("copy", sha256="ink"), lora("xl", misfits={"portrait": "too wide"})])
CATALOG = Catalog([SPEC], default="portrait", loras=KNOWN)


def planned(*loras: dict[str, Any]) -> GenerationPlan:
    asked = TextToImage.model_validate({"prompt": "a", "loras": loras})
    return plan(asked, CATALOG, now=0.0, seed_source=lambda: 7)


def test_a_lora_is_settled_by_content_and_weight_in_the_order_asked_for() -> None:
    settled = planned({"model": "ink", "weight": -0.5}, {"model": "neon"})

    assert [(one.model, one.sha256, one.weight) for one in settled.loras] == [("ink", "ink", -0.5), ("neon", "neon", 1)]
    assert settled.warnings == ()
    assert GenerationPlan.model_validate_json(settled.model_dump_json()) == settled


def test_without_loras_there_are_none() -> None:
    assert planned().loras == ()


def test_an_unknown_lora_names_those_there_are() -> None:
    with pytest.raises(UnknownLora, match="copy, ink, neon, xl") as raised:
        planned({"model": "neon"}, {"model": "nope"})
    assert raised.value.field == "loras.1.model"


def test_a_lora_of_another_model_is_refused_with_field_file_and_reason() -> None:
    with pytest.raises(LoraMisfit, match=r"xl\.safetensors.*too wide") as raised:
        planned({"model": "ink"}, {"model": "xl"})
    assert raised.value.field == "loras.1.model"
    assert "/loras" not in raised.value.detail


@pytest.mark.parametrize("second", ["ink", "copy"])
def test_the_same_lora_twice_is_refused_under_whatever_name(second: str) -> None:
    with pytest.raises(InvalidField, match=r"loras\.0 again") as raised:
        planned({"model": "ink"}, {"model": second, "weight": 0.2})
    assert raised.value.field == "loras.1.model"


def test_a_weight_of_zero_leaves_the_lora_out_and_says_so() -> None:
    settled = planned({"model": "ink"}, {"model": "neon", "weight": 0.0})

    assert [one.model for one in settled.loras] == ["ink"]
    assert [notice.field for notice in settled.warnings] == ["loras.1.weight"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "ink", "weight": 5.1},
        {"model": "ink", "weight": -5.1},
        {"model": "ink", "weight": float("nan")},
        {"model": "ink", "weight": True},
        {"model": "ink", "weight": "1"},
        {"model": "../ink"},
        {"model": "ink", "scale": 1.0},
        {"weight": 1.0},
    ],
)
def test_what_is_no_lora_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        planned(wrong)


def test_no_more_than_the_limit_are_taken() -> None:
    with pytest.raises(ValidationError):
        planned(*({"model": f"l{index}"} for index in range(MAX_LORAS + 1)))
