"""The scheduler table agrees with what callers are offered, and each entry works at its edges."""

import pytest
import torch

from darkroom.catalog import SCHEDULER_TITLES
from tests.unit.engine.latents import denoise_alone
from tests.unit.engine.works import make_plan
from worker.engine.schedulers import KINDS, make_scheduler
from worker.models.checkpoint import Checkpoint


def test_the_catalog_offers_exactly_these_schedulers_under_the_same_titles() -> None:
    assert {name: kind.title for name, kind in KINDS.items()} == dict(SCHEDULER_TITLES)


@pytest.mark.parametrize("scheduler", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_few_steps_end_in_finite_latents(epsilon: Checkpoint, scheduler: str, steps: int) -> None:
    latents_1CHW = denoise_alone(epsilon, make_plan(scheduler=scheduler, steps=steps, guidance_scale=1.0))

    assert torch.isfinite(latents_1CHW).all()


@pytest.mark.parametrize("name", KINDS)
def test_each_step_is_one_pass_at_the_timesteps_of_the_model(epsilon: Checkpoint, name: str) -> None:
    timesteps = make_scheduler(name, epsilon.scheduler_config, 150).timesteps

    assert len(timesteps) == 150
    assert (timesteps[1:] <= timesteps[:-1]).all()
    assert 0 <= timesteps.min() <= timesteps.max() <= 999


def test_an_outdated_configuration_is_repaired_as_the_pipeline_repairs_it(epsilon: Checkpoint) -> None:
    outdated = {**epsilon.scheduler_config, "steps_offset": 0, "clip_sample": True}

    scheduler = make_scheduler("ddim", outdated, 4)

    assert (scheduler.config.steps_offset, scheduler.config.clip_sample) == (1, False)


def test_two_images_never_share_a_scheduler(epsilon: Checkpoint) -> None:
    assert make_scheduler("unipc", epsilon.scheduler_config, 4) is not make_scheduler(
        "unipc", epsilon.scheduler_config, 4
    )
