"""Hires-fix is text to image, an enlargement, and image to image, one after the other, by diffusers' own pipelines."""

from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from torch import Tensor

from darkroom.contract.stage import Hires
from tests.unit.engine import xl
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.staged import enlarged
from tests.unit.engine.test_oracle import SAMPLERS
from tests.unit.engine.test_picture_oracle import fields_for, pipeline
from tests.unit.engine.works import develop
from worker.engine import Work
from worker.models.checkpoint import Checkpoint

pytestmark = pytest.mark.slow

QUICK = ("euler_a", "dpmpp_2m_karras")
SCHEDULERS = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SAMPLERS]


def composed(checkpoint: Checkpoint, work: Work) -> Tensor:
    """Latents of the composition, written out. One generator goes through both, as the image's own does."""
    plan = work.plan
    (stage,) = plan.later_stages
    assert isinstance(stage, Hires)
    dice = torch.Generator("cpu").manual_seed(plan.seeds[0])
    told: dict[str, Any] = {
        "prompt": plan.prompt,
        "negative_prompt": plan.negative_prompt,
        "guidance_scale": plan.guidance_scale,
        "generator": dice,
    }
    first, second = pipelines(checkpoint, plan.scheduler)
    small: Any = first(
        width=plan.width,
        height=plan.height,
        num_inference_steps=plan.steps,
        output_type="latent" if stage.upscaler == "latent" else "pt",
        **told,
    ).images
    latents: Tensor = second(
        image=_large(small, stage, checkpoint.spec.vae_scale_factor),
        strength=stage.strength,
        num_inference_steps=stage.steps,
        output_type="latent",
        **told,
    ).images
    return latents


def pipelines(checkpoint: Checkpoint, scheduler: str) -> tuple[Any, Any]:
    """Text to image, and image to image."""
    if not checkpoint.spec.is_xl:
        kinds = (StableDiffusionPipeline, StableDiffusionImg2ImgPipeline)
        return pipeline(kinds[0], checkpoint, scheduler), pipeline(kinds[1], checkpoint, scheduler)
    first = xl.pipeline(StableDiffusionXLPipeline, checkpoint.spec.path)
    second = xl.pipeline(StableDiffusionXLImg2ImgPipeline, checkpoint.spec.path)
    class_name, overrides = SAMPLERS[scheduler]
    for pipe in (first, second):
        pipe.scheduler = getattr(diffusers, class_name).from_config(pipe.scheduler.config, **overrides)
    return first, second


def _large(small: Any, stage: Hires, factor: int) -> Any:
    if stage.upscaler == "lanczos":
        channels = [Image.fromarray(channel.numpy()) for channel in small[0]]
        large = [channel.resize((stage.width, stage.height), Image.Resampling.LANCZOS) for channel in channels]
        return torch.from_numpy(np.stack(large)[None]).clamp(0, 1)
    size = (stage.height // factor, stage.width // factor)
    return torch.nn.functional.interpolate(small, size=size, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("upscaler", ["latent", "lanczos"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_hires_fix_equals_its_composition(epsilon: Checkpoint, scheduler: str, upscaler: str) -> None:
    fields = fields_for(epsilon, scheduler=scheduler, steps=4)
    work = enlarged(scale=1.5, strength=0.6, hires_steps=5, upscaler=upscaler, **fields)

    found = denoise_alone(epsilon, work)

    assert found.shape == (1, 4, 12, 12)
    assert relative(found, composed(epsilon, work)) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("upscaler", ["latent", "lanczos"])
@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("model", ["velocity", "embedded", "xl"])
def test_hires_fix_of_other_models_equals_its_composition(
    request: pytest.FixtureRequest, model: str, strength: float, upscaler: str
) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    work = enlarged(strength=strength, upscaler=upscaler, **fields_for(checkpoint, scheduler="euler_a"))

    assert relative(denoise_alone(checkpoint, work), composed(checkpoint, work)) <= 1e-4


def test_the_picture_has_the_size_of_the_last_stage(epsilon: Checkpoint) -> None:
    work = enlarged(scale=1.5, width=96, height=64, steps=2, upscaler="lanczos")

    made = develop(epsilon, [work]).images["job"][0]

    assert made.shape == (96, 144, 3)
    assert made.dtype == np.uint8
