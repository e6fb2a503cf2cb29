"""Two dozen requests that differ in all that requests may differ in, in one lane."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from darkroom.catalog import SCHEDULERS
from tests.unit.engine.canvases import expanded, redrawn, repainted
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.loras import ATTENTION, load, planned, random_halves, sha256, write_peft
from tests.unit.engine.works import develop, make_work
from worker.engine import Work
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Lora

pytestmark = pytest.mark.slow

PROMPTS = ("a red circle", "two (blue:1.3) stars BREAK on green", "")
MAKE: tuple[Callable[..., Work], ...] = (make_work, redrawn, repainted, expanded)


@pytest.fixture(params=["xl", "velocity"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    checkpoint: Checkpoint = request.getfixturevalue(request.param)
    return checkpoint


def mixture(count: int, loras: list[Path], seed: int = 0, **fields: object) -> list[Work]:
    dice = random.Random(seed)
    names = dice.sample(SCHEDULERS, count)
    return [
        MAKE[index % len(MAKE)](
            job_id=f"job{index}",
            prompt=dice.choice(PROMPTS),
            negative_prompt=dice.choice(PROMPTS),
            scheduler=names[index],
            steps=dice.choice([2, 4, 6]),
            guidance_scale=dice.choice([1.0, 3.0, 7.5]),
            seeds=tuple(range(100 * index, 100 * index + dice.choice([1, 1, 2]))),
            loras=tuple(planned(file, 0.5) for file in dice.choice([[], loras[:1], loras])),
            **fields,
        )
        for index in range(count)
    ]


def worn(checkpoint: Checkpoint, folder: Path) -> tuple[list[Path], dict[str, Lora]]:
    files = [
        write_peft(folder / f"{rank}.safetensors", random_halves(checkpoint, (*ATTENTION, "fc1"), rank, seed=rank))
        for rank in (1, 3)
    ]
    return files, {sha256(file): load(file) for file in files}


@pytest.mark.parametrize("every", [0, 2])
def test_each_is_what_it_is_alone(checkpoint: Checkpoint, tmp_path: Path, every: int) -> None:
    files, loras = worn(checkpoint, tmp_path)
    works = mixture(24, files)
    alone = [denoise_alone(checkpoint, work, loras=loras) for work in works]

    together = denoise_together(checkpoint, works, every=every, loras=loras)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


def test_deterministic_ones_have_the_same_bits_in_any_order(checkpoint: Checkpoint, tmp_path: Path) -> None:
    files, loras = worn(checkpoint, tmp_path)
    works = mixture(12, files, seed=1, deterministic=True)
    alone = [denoise_alone(checkpoint, work, loras=loras) for work in works]
    order = random.Random(2).sample(range(len(works)), len(works))

    crowded = denoise_together(checkpoint, works, every=1, loras=loras)
    shuffled = denoise_together(checkpoint, [works[index] for index in order], loras=loras)

    assert all(torch.equal(one, other) for one, other in zip(crowded, alone, strict=True))
    assert all(torch.equal(one, alone[index]) for one, index in zip(shuffled, order, strict=True))


def test_deterministic_pictures_have_the_same_bits_in_any_order(checkpoint: Checkpoint) -> None:
    works = mixture(8, [], seed=3, deterministic=True)

    found, reverse = develop(checkpoint, works).images, develop(checkpoint, works[::-1]).images

    assert found.keys() == reverse.keys() == {work.job_id for work in works}
    for job, pictures in found.items():
        assert all(np.array_equal(rgb_HWC, reverse[job][index]) for index, rgb_HWC in pictures.items())
