"""Prompts of different lengths share passes and do not change each other."""

from math import lcm

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from darkroom.contract.plan import GenerationPlan
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.networks import watch
from tests.unit.engine.works import make_plan
from worker.engine.contexts import sharing
from worker.engine.forward import Forward, denoise
from worker.engine.sample import Row
from worker.models.checkpoint import Checkpoint

PROMPTS = (
    "a red circle",
    "a red circle BREAK two blue stars",
    "(a green square:1.4) BREAK on the left BREAK of a star BREAK at night",
    "red, blue, green " * 20,
)


def plans(**fields: object) -> list[GenerationPlan]:
    return [
        make_plan(prompt=prompt, negative_prompt="(blue) BREAK dark" if index % 2 else "", seeds=(index,), **fields)
        for index, prompt in enumerate(PROMPTS)
    ]


@pytest.mark.slow
def test_prompts_of_any_length_share_passes_and_equal_their_solo_runs(epsilon: Checkpoint) -> None:
    alone = [denoise_alone(epsilon, plan) for plan in plans()]
    checkpoint, unet = watch(epsilon)

    together = denoise_together(checkpoint, plans())

    assert set(unet.passes) == {2 * len(PROMPTS)}
    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


@pytest.mark.slow
def test_deterministic_prompts_of_any_length_have_the_same_bits_under_any_load(epsilon: Checkpoint) -> None:
    exact = plans(deterministic=True)
    alone = [denoise_alone(epsilon, plan) for plan in exact]

    for together in (denoise_together(epsilon, exact, every=1), denoise_together(epsilon, exact[::-1])[::-1]):
        assert all(torch.equal(found, expected) for found, expected in zip(together, alone, strict=True))


def test_a_long_prompt_equals_each_of_its_rows_computed_by_itself(epsilon: Checkpoint) -> None:
    """The reference has no shared pass: one call of the network a row, each with its own context."""
    conditionings = [epsilon.text.encode(text) for text in PROMPTS]
    latents_1CHW = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        expected = [
            epsilon.unet(latents_1CHW, 500.0, encoder_hidden_states=conditioning.context_1TC).sample
            for conditioning in conditionings
        ]

    found_RCHW = denoise(epsilon, [Row(latents_1CHW, 500.0, conditioning) for conditioning in conditionings])

    assert relative(found_RCHW, torch.cat(expected)) <= 1e-5


def test_a_network_that_pools_the_words_is_shown_none_of_them_twice(embedded: Checkpoint) -> None:
    latents_1CHW = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(3))
    rows = [Row(latents_1CHW, 500.0, embedded.text.encode(text)) for text in PROMPTS[:2]]
    expected = [denoise(embedded, [row]) for row in rows]

    found = Forward(embedded, most_rows=8)(rows)

    assert max(relative(one, other) for one, other in zip(found, expected, strict=True)) <= 1e-5


@pytest.mark.parametrize(
    ("lengths", "most", "expected"),
    [
        ([77, 77], 0, [[0, 1]]),
        ([77, 154], 0, [[1], [0]]),
        ([77, 154], 616, [[1, 0]]),
        ([154, 231, 77], 616, [[1, 0, 2]]),
        ([5 * 77, 7 * 77, 77], 616, [[1, 2], [0]]),
        ([16 * 77, 16 * 77], 616, [[0, 1]]),
        ([], 616, []),
    ],
)
def test_rows_share_where_a_common_multiple_is_small(lengths: list[int], most: int, expected: list[list[int]]) -> None:
    assert sharing(lengths, most) == expected


@given(st.lists(st.integers(1, 16), max_size=20), st.sampled_from([0, 8]))
def test_every_row_is_in_one_group_and_no_group_grows_out_of_bounds(lengths: list[int], most: int) -> None:
    groups = sharing(lengths, most)

    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        longest = max(lengths[index] for index in group)
        assert lcm(*(lengths[index] for index in group)) <= max(most, longest)
