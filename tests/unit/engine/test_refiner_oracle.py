"""Base and refiner share a schedule as diffusers' two pipelines do, one after the other."""

from typing import Any

import diffusers
import pytest
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
from PIL import Image
from torch import Tensor

from darkroom.catalog.schedulers import second_order
from darkroom.contract.stage import Refiner
from tests.unit.engine.canvases import redrawn
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.staged import polishing, refined, with_refiner
from tests.unit.engine.test_oracle import ORACLES
from tests.unit.engine.works import make_work
from tests.unit.engine.xl import pipeline
from worker.engine import Work
from worker.engine.mixing import schedule
from worker.engine.needs import Leases
from worker.engine.schedulers import KINDS
from worker.engine.stage import stages_of
from worker.models.checkpoint import Checkpoint

pytestmark = pytest.mark.slow

SHARED = [name for name in KINDS if not second_order(name)]
FIELDS: dict[str, Any] = {"guidance_scale": 5.0, "seeds": (77,), "negative_prompt": "a blue square", "steps": 5}


def scheduled(kind: Any, checkpoint: Checkpoint, scheduler: str) -> Any:
    pipe = pipeline(kind, checkpoint.spec.path)
    class_name, overrides = ORACLES[scheduler]
    pipe.scheduler = getattr(diffusers, class_name).from_config(pipe.scheduler.config, **overrides)
    return pipe


def ensemble(base: Checkpoint, refiner: Checkpoint, work: Work) -> Tensor:
    """Latents by diffusers. One generator goes through both, as the image's own does."""
    plan, (stage,) = work.plan, work.plan.later_stages
    assert isinstance(stage, Refiner)
    told: dict[str, Any] = {
        "prompt": plan.prompt,
        "negative_prompt": plan.negative_prompt,
        "num_inference_steps": plan.steps,
        "guidance_scale": plan.guidance_scale,
        "generator": torch.Generator("cpu").manual_seed(plan.seeds[0]),
        "output_type": "latent",
    }
    if plan.start.kind == "image":
        first = scheduled(StableDiffusionXLImg2ImgPipeline, base, plan.scheduler)
        told_first = {"image": Image.fromarray(work.canvas.rgb_HW3), "strength": plan.start.strength}
    else:
        first = scheduled(StableDiffusionXLPipeline, base, plan.scheduler)
        told_first = {"width": plan.width, "height": plan.height}
    latents = first(denoising_end=stage.switch_at, **told_first, **told).images
    second = scheduled(StableDiffusionXLImg2ImgPipeline, refiner, plan.scheduler)
    refined: Tensor = second(image=latents, denoising_start=stage.switch_at, **told).images
    return refined


@pytest.mark.parametrize("scheduler", SHARED)
def test_base_and_refiner_equal_their_pipelines(xl: Checkpoint, refiner: Checkpoint, scheduler: str) -> None:
    work = refined(switch_at=0.6, scheduler=scheduler, **FIELDS)

    found = denoise_alone(xl, work, others=[polishing(refiner)])

    assert relative(found, ensemble(xl, refiner, work)) <= 1e-4
    # Beta spacing leaves the refiner a single pass, at hardly any noise.
    assert relative(found, denoise_alone(xl, make_work(scheduler=scheduler, **FIELDS))) > 2e-4


@pytest.mark.parametrize("switch_at", [0.3, 0.8])
def test_a_picture_to_begin_with_is_redrawn_by_both(xl: Checkpoint, refiner: Checkpoint, switch_at: float) -> None:
    work = with_refiner(redrawn(strength=0.9, **{**FIELDS, "scheduler": "euler_a", "steps": 10}), switch_at)

    found = denoise_alone(xl, work, others=[polishing(refiner)])

    assert relative(found, ensemble(xl, refiner, work)) <= 1e-4


@pytest.mark.parametrize("scheduler", KINDS)
def test_the_schedulers_that_cannot_be_shared_are_those_that_overlap(xl: Checkpoint, scheduler: str) -> None:
    """By the sums of diffusers' `get_timesteps` and of its base pipeline."""
    overlaps = False
    for steps in (4, 9):
        shared = schedule(scheduler, xl.scheduler_config, steps)
        for switch_at in (0.3, 0.5, 0.8):
            switch = round(1000 - switch_at * 1000)
            base = sum(timestep >= switch for timestep in shared.timesteps)
            rest = sum(timestep < switch for timestep in shared.timesteps)
            rest += shared.order == 2 and rest % 2 == 0
            overlaps |= base + rest != len(shared.timesteps)

    assert overlaps == second_order(scheduler)


@pytest.mark.parametrize(("switch_at", "base", "noticed"), [(0.01, 1, True), (0.5, 5, False), (0.999, 9, True)])
def test_each_of_the_two_makes_a_pass(
    xl: Checkpoint, refiner: Checkpoint, switch_at: float, base: int, noticed: bool
) -> None:
    plan = refined(switch_at=switch_at, scheduler="ddim", steps=10).plan

    first, second = stages_of(plan, Leases({"model": xl, "polish": polishing(refiner)}, ()), ())

    assert (first.passes, second.passed_over, second.passes) == (base, base, 10 - base)
    assert [notice.field for notice in first.notices] == ["refiner.switch_at"] * noticed
