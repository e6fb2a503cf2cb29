"""The scheduler table agrees with what callers are offered, and each entry works at its edges."""

import pytest
import torch

from darkroom.catalog import SCHEDULERS
from darkroom.catalog.schedulers import most_steps, passes, scheduler_of
from tests.unit.engine.latents import denoise_alone
from tests.unit.engine.works import make_plan
from worker.engine.schedulers import KINDS, SPACINGS, make_scheduler
from worker.models.checkpoint import Checkpoint
from worker.models.scheduler_config import scheduler_config

UNSPACED = [name for name in KINDS if not name.endswith(tuple(SPACINGS))]


def test_the_catalog_offers_exactly_these_schedulers() -> None:
    assert tuple(KINDS) == SCHEDULERS


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", UNSPACED)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_few_steps_end_in_finite_latents(epsilon: Checkpoint, scheduler: str, steps: int) -> None:
    latents_1CHW = denoise_alone(epsilon, make_plan(scheduler=scheduler, steps=steps, guidance_scale=1.0))

    assert torch.isfinite(latents_1CHW).all()


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 2, 50])
@pytest.mark.parametrize("name", KINDS)
def test_the_catalog_knows_how_many_passes_steps_take(epsilon: Checkpoint, name: str, steps: int) -> None:
    timesteps = make_scheduler(name, epsilon.scheduler_config, steps).timesteps

    assert len(timesteps) == passes(name, steps)
    # Between two whole steps, second-order ancestral ones look at a rounded timestep.
    assert (timesteps[1:] <= timesteps[:-1] + 0.5).all()
    assert 0 <= timesteps.min() <= timesteps.max() <= 999


@pytest.mark.parametrize("name", KINDS)
def test_the_catalog_knows_the_most_steps_there_are(epsilon: Checkpoint, name: str) -> None:
    most = most_steps(name)
    if most is None:
        assert len(make_scheduler(name, epsilon.scheduler_config, 150).timesteps) >= 150
        return
    make_scheduler(name, epsilon.scheduler_config, most)
    with pytest.raises(ValueError, match="steps"):
        make_scheduler(name, epsilon.scheduler_config, most + 1)


@pytest.mark.parametrize("spacing", ["karras", "exponential", "beta"])
def test_a_model_with_a_spacing_of_its_own_takes_the_one_that_is_asked_for(epsilon: Checkpoint, spacing: str) -> None:
    config = {**epsilon.scheduler_config, "use_karras_sigmas": True}

    asked = make_scheduler(f"dpmpp_2m_{spacing}", config, 4).config

    assert [key for key in ("karras", "exponential", "beta") if asked[f"use_{key}_sigmas"]] == [spacing]


@pytest.mark.parametrize("class_name", sorted({kind.class_name for kind in KINDS.values()}))
def test_a_model_made_for_a_scheduler_gets_it_by_default(class_name: str) -> None:
    assert KINDS[scheduler_of(class_name)].class_name == class_name


def test_an_outdated_configuration_is_repaired_as_the_pipeline_repairs_it(epsilon: Checkpoint) -> None:
    outdated = {**epsilon.scheduler_config, "steps_offset": 0, "clip_sample": True}

    scheduler = make_scheduler("ddim", scheduler_config(epsilon.spec, outdated), 4)

    assert (scheduler.config.steps_offset, scheduler.config.clip_sample) == (1, False)


@pytest.mark.slow
def test_that_of_an_xl_model_is_taken_at_its_word_as_its_pipeline_takes_it(xl: Checkpoint) -> None:
    said = {**xl.scheduler_config, "steps_offset": 0}
    said.pop("clip_sample", None)

    scheduler = make_scheduler("ddim", scheduler_config(xl.spec, said), 4)

    assert (scheduler.config.steps_offset, scheduler.config.clip_sample) == (0, False)


def test_two_images_never_share_a_scheduler(epsilon: Checkpoint) -> None:
    first, second = (make_scheduler("unipc", epsilon.scheduler_config, 4) for _ in range(2))
    assert first is not second
    for name in ("timesteps", "sigmas"):
        assert getattr(first, name).data_ptr() != getattr(second, name).data_ptr()
    assert first.model_outputs is not second.model_outputs
