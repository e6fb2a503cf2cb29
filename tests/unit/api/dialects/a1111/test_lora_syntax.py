"""`<lora:name:weight>` in prompts."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.a1111.lora_syntax import prompted
from api.dialects.remarks import Remarks
from darkroom.errors import InvalidField
from tests.unit.api.dialects.a1111.conftest import shipped

LORAS = shipped().loras


@pytest.mark.parametrize(
    ("prompt", "text", "weights"),
    [
        ("a cat", "a cat", {}),
        ("a cat <lora:outline:0.8>", "a cat ", {"outline": 0.8}),
        ("<lora:outline>a cat", "a cat", {"outline": 1.0}),
        ("a<lora:OutLine.safetensors:-0.5>cat", "acat", {"outline": -0.5}),
        ("<lyco:outline:te=0.5:unet=0.5>", "", {"outline": 0.5}),
        ("<lora:outline:0.5> a <lora:outline:0.25>", " a ", {"outline": 0.75}),
        ("<lora:outline:1> <lora:neon-glow:2>", " ", {"outline": 1.0, "neon-glow": 2.0}),
        ("a < b > c <not:", "a < b > c <not:", {}),
    ],
)
def test_loras_are_taken_out_of_a_prompt(prompt: str, text: str, weights: dict[str, float]) -> None:
    remarks = Remarks(strict=True)
    found = prompted(prompt, LORAS, remarks)
    assert (found.text, found.weights) == (text, weights)


@pytest.mark.parametrize(
    ("prompt", "weights"),
    [
        ("<lora:no-such:1>", {}),
        ("<hypernet:outline:1>", {}),
        ("<lora:outline:0.5:1>", {"outline": 1.0}),
        ("<lora:outline:1:1:32>", {"outline": 1.0}),
    ],
)
def test_what_cannot_be_had_is_remarked(prompt: str, weights: dict[str, float]) -> None:
    remarks = Remarks()
    assert prompted(prompt, LORAS, remarks).weights == weights
    assert [notice.field for notice in remarks.notices] == ["prompt"]


@pytest.mark.parametrize(
    "said", ["strong", "5.1", "-6", "3><lora:outline:3", "nan", "1e999", "1e999><lora:outline:-1e999"]
)
def test_a_weight_that_is_no_number_or_too_large_is_refused(said: str) -> None:
    with pytest.raises(InvalidField, match="the weight of a LoRA must be"):
        prompted(f"<lora:outline:{said}>", LORAS, Remarks())


@given(st.text(st.sampled_from("<>:lora outline=te0.5-e")))
def test_no_prompt_is_too_wild(prompt: str) -> None:
    with contextlib.suppress(InvalidField):
        assert len(prompted(prompt, LORAS, Remarks()).text) <= len(prompt)


@pytest.mark.parametrize("piece", ["<lora:", "<", ">", "<a:b", "<a:b>", ":"])
def test_no_prompt_takes_long(piece: str) -> None:
    began = time.thread_time()
    prompted(piece * (20_000 // len(piece)), LORAS, Remarks())
    assert time.thread_time() - began < 1
