"""Words become what diffusers' pipeline makes of them."""

import pytest
import torch
from diffusers import StableDiffusionPipeline

from tests.unit.engine.networks import Mute
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning
from worker.models.text import RememberedText


@pytest.mark.parametrize("text", ["", "a red circle", "two blue stars on a green background " * 9])
def test_embeddings_equal_those_of_the_pipeline(epsilon: Checkpoint, text: str) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(epsilon.spec.path)
    expected, _ = pipe.encode_prompt(text, torch.device("cpu"), 1, do_classifier_free_guidance=False)

    assert torch.equal(epsilon.text.encode(text).context_1TC, expected)


def test_tokens_beyond_the_window_are_counted(epsilon: Checkpoint) -> None:
    window = epsilon.spec.max_prompt_tokens
    fitting = " ".join(["red"] * (window - 2))

    assert epsilon.text.encode(fitting).dropped_tokens == 0
    assert epsilon.text.encode(fitting + " circle circle").dropped_tokens == 2


class Counting(Mute):
    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, text: str) -> Conditioning:
        self.encoded.append(text)
        return super().encode(text)


def test_a_text_is_encoded_once_while_it_is_remembered() -> None:
    counting = Counting()
    text = RememberedText(counting, size=2)

    for word in ("a", "b", "a", "c", "a", "b"):
        text.encode(word)

    assert counting.encoded == ["a", "b", "c", "b"]
