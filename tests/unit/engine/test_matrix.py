"""Every task with every scheduler on every family of checkpoints: what the engine makes is what diffusers makes.

Where diffusers has no pipeline of its own for a task, as for outpainting, the one it is made of is the oracle.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from torch import Tensor

from darkroom.contract.plan import Task
from tests.unit.engine import xl
from tests.unit.engine.canvases import canvas_of, expanded, redrawn, repainted
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.test_oracle import ORACLES
from tests.unit.engine.works import make_plan
from worker.engine import Work
from worker.models.checkpoint import Checkpoint

pytestmark = pytest.mark.slow

FAMILIES: dict[str, tuple[Task, ...]] = {
    "epsilon": ("text_to_image", "image_to_image", "inpaint", "outpaint"),
    "velocity": ("text_to_image", "image_to_image", "inpaint", "outpaint"),
    "xl": ("text_to_image", "image_to_image", "inpaint", "outpaint"),
    "refiner": ("image_to_image",),
    "inpainting": ("inpaint", "outpaint"),
    "xl_inpainting": ("inpaint", "outpaint"),
}
CASES = [(family, task) for family, tasks in FAMILIES.items() for task in tasks]
KINDS: dict[Task, tuple[Any, Any]] = {
    "text_to_image": (StableDiffusionPipeline, StableDiffusionXLPipeline),
    "image_to_image": (StableDiffusionImg2ImgPipeline, StableDiffusionXLImg2ImgPipeline),
    "inpaint": (StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline),
    "outpaint": (StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline),
}
MAKE: dict[Task, Callable[..., Work]] = {
    "text_to_image": lambda strength, **fields: Work("job", 1, make_plan(**fields)),
    "image_to_image": redrawn,
    "inpaint": repainted,
    # A seam of whole latents, so that the mask means the same to us and to diffusers.
    "outpaint": partial(expanded, feather=8),
}


@cache
def pipeline(task: Task, checkpoint: Checkpoint) -> Any:
    if checkpoint.spec.is_xl:
        return xl.pipeline(KINDS[task][1], checkpoint.spec.path)
    pipe = KINDS[task][0].from_pretrained(checkpoint.spec.path, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def oracle(checkpoint: Checkpoint, work: Work) -> Tensor:
    plan = work.plan
    pipe = pipeline(plan.task, checkpoint)
    own = pipe.scheduler
    class_name, overrides = ORACLES[plan.scheduler]
    pipe.scheduler = getattr(diffusers, class_name).from_config(own.config, **overrides)
    latents: Tensor = pipe(
        plan.prompt,
        negative_prompt=plan.negative_prompt,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(plan.seeds[0]),
        output_type="latent",
        **inputs(work),
    ).images
    pipe.scheduler = own
    return latents


def inputs(work: Work) -> dict[str, Any]:
    """What the pipeline of its task takes besides words."""
    size = {"width": work.plan.width, "height": work.plan.height}
    if work.plan.task == "text_to_image":
        return size
    if work.plan.task == "image_to_image":
        return {"image": Image.fromarray(work.canvas.rgb_HW3), "strength": work.plan.start.strength}
    canvas = canvas_of(work)
    pictures = {
        "image": Image.fromarray(canvas.rgb_HW3),
        "mask_image": Image.fromarray(canvas.mask_HW.astype(np.uint8) * 255),
    }
    return {**size, **pictures, "strength": work.plan.start.strength}


@pytest.mark.parametrize("scheduler", ORACLES)
@pytest.mark.parametrize(("family", "task"), CASES)
def test_latents_equal_those_of_the_pipeline(
    request: pytest.FixtureRequest, family: str, task: Task, scheduler: str
) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(family)
    work = MAKE[task](strength=0.7, scheduler=scheduler, steps=3, negative_prompt="a blue square", seeds=(77,))
    assert task in checkpoint.spec.tasks

    assert relative(denoise_alone(checkpoint, work), oracle(checkpoint, work)) <= 1e-4
