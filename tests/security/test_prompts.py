"""Prompts made to hurt: taken or refused at once, read in no time, and encoded to numbers in few chunks."""

import time

import pytest
import torch

from darkroom.catalog import embedded_model_folder
from darkroom.prompt import parse
from tests.fakes import fake_services
from tests.gateway import GENERATIONS, client_of
from tests.unit.engine.checkpoints import CPU
from worker.models.checkpoint import Checkpoint
from worker.models.chunks import MOST_CHUNKS
from worker.models.loader import load_folder

LENGTH = 10_000  # of a prompt, at most
HOSTILE = {
    "emoji": "😀" * 2_000,
    "one letter of 2,000 marks": "a" + "\u0301" * 2_000,
    "ends of text": "<|endoftext|>" * 500,
    "starts of text": "<|startoftext|>" * 500,
    "joiners": "👩‍👩‍👧‍👦" * 500,
    "right to left": "\u202eabc" * 1_000,
    "spaces of every kind": "\u00a0\u2003\u3000\u200b" * 2_000,
    "brackets": "(" * 1_000 + "cat" + ")" * 1_000,
    "a weight": "(cat:99999999)",
    "weights": "(a:9)" * 1_900,
    "breaks": "BREAK " * 1_600,
    "one word": "a" * LENGTH,
    "commas": "," * LENGTH,
}
# Longer than any that is taken: the reader itself must not care.
SLOW = {
    "open brackets": "(" + "a:" * 50_000,
    "backslashes": "\\" * 100_000,
    "half a LoRA": "<lora:" * 20_000,
    "colons": "(" + ":" * 100_000,
    "digits": "(a:" + "9" * 100_000,
    "spaces behind a weight": "(a:1" + " " * 100_000,
    "brackets of both kinds": "([" * 50_000,
}


@pytest.fixture(scope="module")
def embedded() -> Checkpoint:
    return load_folder("tiny", embedded_model_folder(), CPU, torch.float32)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_prompt_is_taken(name: str) -> None:
    async with client_of(fake_services()) as client:
        answer = await client.post(GENERATIONS, json={"prompt": HOSTILE[name], "negative_prompt": HOSTILE[name]})
    assert answer.status_code == 202, answer.text


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_the_encoder_makes_numbers_of_any_prompt_and_a_bounded_number_of_chunks(
    embedded: Checkpoint, name: str
) -> None:
    begun = time.process_time()
    found = embedded.text.encode(HOSTILE[name]).context_1TC
    assert time.process_time() - begun < 2
    assert torch.isfinite(found).all()
    assert found.shape[1] <= MOST_CHUNKS * 77


@pytest.mark.slow
@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_no_prompt_takes_its_reader_fifty_milliseconds(text: str) -> None:
    """For as many characters as a prompt may have; ten times as many take ten times as long, and not a hundred."""

    def seconds(characters: str) -> float:
        begun = time.thread_time()
        parse(characters)
        return time.thread_time() - begun

    assert min(seconds(text[:LENGTH]) for _ in range(3)) < 0.05
    assert min(seconds(text) for _ in range(3)) < 0.5
