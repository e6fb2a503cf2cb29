"""Requests that share forward passes do not change each other's pictures."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.contract.plan import GenerationPlan
from tests.unit.engine.checkpoints import CPU
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.works import develop, make_plan
from worker.engine.request import Work
from worker.engine.schedulers import KINDS
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder

PROMPTS = ("a red circle", "a green square on the left", "two blue stars", "")


def mixture(count: int, seed: int = 0, **fields: object) -> list[GenerationPlan]:
    """Plans that differ in all that may differ within a lane."""
    dice = random.Random(seed)
    names = dice.sample(list(KINDS), len(KINDS))
    return [
        make_plan(
            prompt=dice.choice(PROMPTS),
            scheduler=names[index % len(names)],
            steps=dice.choice([2, 4, 7]),
            guidance_scale=dice.choice([1.0, 3.0, 7.5]),
            seeds=tuple(range(100 * index, 100 * index + dice.choice([1, 1, 3]))),
            **fields,
        )
        for index in range(count)
    ]


def equal_bits(found: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> list[bool]:
    return [torch.equal(one, other) for one, other in zip(found, expected, strict=True)]


@pytest.mark.parametrize("every", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_a_mixed_batch_equals_solo_runs(epsilon: Checkpoint, every: int) -> None:
    plans = mixture(10)
    alone = [denoise_alone(epsilon, plan) for plan in plans]

    together = denoise_together(epsilon, plans, every=every)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


@pytest.mark.slow
def test_every_scheduler_at_once_equals_solo_runs(velocity: Checkpoint) -> None:
    plans = mixture(len(KINDS), seed=2)
    alone = [denoise_alone(velocity, plan) for plan in plans]

    together = denoise_together(velocity, plans, every=1)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


@pytest.mark.slow
def test_a_job_of_more_rows_than_fit_equals_its_images_asked_for_alone(velocity: Checkpoint) -> None:
    plan = make_plan(seeds=(5, 6, 7, 8, 9), scheduler="euler_a")
    alone = [denoise_alone(velocity, plan.model_copy(update={"seeds": (seed,)})) for seed in plan.seeds]

    together = denoise_alone(velocity, plan, max_rows=4)

    assert relative(together, torch.cat(alone)) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", ["epsilon", pytest.param("velocity", marks=pytest.mark.slow)])
def test_deterministic_requests_have_the_same_bits_under_any_load(
    checkpoint: str, request: pytest.FixtureRequest
) -> None:
    model: Checkpoint = request.getfixturevalue(checkpoint)
    plans = mixture(7, deterministic=True)
    alone = [denoise_alone(model, plan) for plan in plans]
    others = mixture(4, seed=9)

    crowded = denoise_together(model, [*plans, *others], every=1)[: len(plans)]
    reversed_order = denoise_together(model, plans[::-1])[::-1]

    assert all(equal_bits(crowded, alone))
    assert all(equal_bits(reversed_order, alone))


@pytest.mark.slow
def test_image_i_of_a_deterministic_job_has_the_bits_of_its_seed_alone(epsilon: Checkpoint) -> None:
    plan = make_plan(seeds=tuple(range(40, 47)), scheduler="euler_a", deterministic=True)
    alone = [denoise_alone(epsilon, plan.model_copy(update={"seeds": (seed,)})) for seed in plan.seeds]

    assert torch.equal(denoise_alone(epsilon, plan), torch.cat(alone))


@pytest.mark.slow
def test_the_embedded_model_is_deterministic_down_to_the_pixel(embedded: Checkpoint) -> None:
    size = {"model": "tiny", "width": embedded.spec.native_width, "height": embedded.spec.native_height}
    plans = mixture(6, deterministic=True, **size)
    crowd = [*plans, *mixture(3, seed=5, **size)]

    crowded = develop(embedded, [Work(f"job{index}", 1, plan) for index, plan in enumerate(crowd)]).images

    for index, plan in enumerate(plans):
        alone = develop(embedded, [Work("alone", 1, plan)]).images["alone"]
        assert all(np.array_equal(crowded[f"job{index}"][image], rgb_HWC) for image, rgb_HWC in alone.items())


@pytest.mark.slow
def test_the_embedded_model_mixes_without_a_visible_trace(embedded: Checkpoint) -> None:
    size = {"model": "tiny", "width": embedded.spec.native_width, "height": embedded.spec.native_height}
    plans = mixture(6, seed=3, **size)
    alone = [denoise_alone(embedded, plan) for plan in plans]

    together = denoise_together(embedded, plans, every=1)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


def test_images_of_one_job_differ(epsilon: Checkpoint) -> None:
    latents_NCHW = denoise_alone(epsilon, make_plan(seeds=(1, 2)))

    assert not torch.allclose(latents_NCHW[0], latents_NCHW[1])


def test_noise_is_drawn_alike_whatever_the_precision(epsilon: Checkpoint, epsilon_folder: Path) -> None:
    half = load_folder("model", epsilon_folder, CPU, torch.bfloat16)
    plan = make_plan(scheduler="euler_a", seeds=(3,))

    assert relative(denoise_alone(half, plan), denoise_alone(epsilon, plan)) <= 0.05
