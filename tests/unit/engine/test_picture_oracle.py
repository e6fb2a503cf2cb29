"""What the engine makes of pictures is what diffusers' own pipelines make of them."""

from functools import cache
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image
from torch import Tensor

from tests.unit.engine.canvases import canvas_of, mask, redrawn, repainted
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.test_oracle import SAMPLERS
from worker.engine import Work
from worker.engine.encode import Part, encode, latent_mask
from worker.models.checkpoint import Checkpoint

pytestmark = pytest.mark.slow

FEW = ("ddim", "euler_a", "dpmpp_2m_karras", "unipc")
SCHEDULERS = list(SAMPLERS)
CHECKPOINTS = [
    "epsilon",
    "velocity",
    "embedded",
]
STRENGTHS = [0.5, 1.0]


@cache
def components(folder: str) -> dict[str, Any]:
    """Loaded once: a pipeline made of them is as good as new."""
    return dict(StableDiffusionImg2ImgPipeline.from_pretrained(folder, dtype=torch.float32).components)


def pipeline(kind: Any, checkpoint: Checkpoint, scheduler: str) -> Any:
    pipe = kind(**components(checkpoint.spec.path), requires_safety_checker=False)
    class_name, overrides = SAMPLERS[scheduler]
    pipe.scheduler = getattr(diffusers, class_name).from_config(pipe.scheduler.config, **overrides)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def oracle(kind: Any, checkpoint: Checkpoint, work: Work, **inputs: Any) -> Tensor:
    """Latents by diffusers of the work's plan and these pictures."""
    plan = work.plan
    latents: Tensor = pipeline(kind, checkpoint, plan.scheduler)(
        plan.prompt,
        negative_prompt=plan.negative_prompt,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        strength=plan.start.strength,
        generator=torch.Generator("cpu").manual_seed(plan.seeds[0]),
        output_type="latent",
        **inputs,
    ).images
    return latents


def inpainted(checkpoint: Checkpoint, work: Work, image: Any = None, **inputs: Any) -> Tensor:
    canvas, plan = canvas_of(work), work.plan
    shown = Image.fromarray(canvas.rgb_HW3) if image is None else image
    white = Image.fromarray(canvas.mask_HW.astype(np.uint8) * 255)
    size = {"width": plan.width, "height": plan.height}
    return oracle(StableDiffusionInpaintPipeline, checkpoint, work, image=shown, mask_image=white, **size, **inputs)


def fields_for(checkpoint: Checkpoint, **fields: Any) -> dict[str, Any]:
    spec = checkpoint.spec
    size = {"model": spec.name, "width": spec.native_width, "height": spec.native_height}
    return {**size, "negative_prompt": "a blue square", "seeds": (77,), "steps": 5, **fields}


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("model", CHECKPOINTS)
def test_image_to_image(request: pytest.FixtureRequest, model: str, scheduler: str, strength: float) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    work = redrawn(strength=strength, **fields_for(checkpoint, scheduler=scheduler))

    expected = oracle(StableDiffusionImg2ImgPipeline, checkpoint, work, image=Image.fromarray(work.canvas.rgb_HW3))

    assert relative(denoise_alone(checkpoint, work), expected) <= 1e-4


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("model", [*CHECKPOINTS, "inpainting"])
def test_inpainting(request: pytest.FixtureRequest, model: str, scheduler: str, strength: float) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    fields = fields_for(checkpoint, scheduler=scheduler)
    work = repainted(strength=strength, mask_HW=mask(fields["width"]), **fields)

    assert relative(denoise_alone(checkpoint, work), inpainted(checkpoint, work)) <= 1e-4


@pytest.mark.parametrize("model", ["epsilon", "inpainting"])
def test_filled_content_is_the_filled_picture(request: pytest.FixtureRequest, model: str) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    work = repainted(strength=0.8, content="fill", **fields_for(checkpoint))

    assert not np.array_equal(canvas_of(work).rgb_HW3, canvas_of(repainted()).rgb_HW3)
    assert relative(denoise_alone(checkpoint, work), inpainted(checkpoint, work)) <= 1e-4


@pytest.mark.parametrize("scheduler", FEW)
@pytest.mark.parametrize("content", ["latent_noise", "latent_nothing"])
def test_content_made_of_latents(epsilon: Checkpoint, content: str, scheduler: str) -> None:
    """Diffusers takes latents for an image: those of the picture with noise, or nothing, under the mask.

    The noise is what the image's generator draws after all that the pipeline draws, written out here once more.
    """
    work = repainted(strength=0.8, content=content, **fields_for(epsilon, scheduler=scheduler, steps=5))
    encoded = encode(epsilon, work.canvas)
    assert isinstance(encoded, Part)
    dice = torch.Generator("cpu").manual_seed(77)
    posterior, start, _, content_noise = (torch.randn(1, 4, 8, 8, generator=dice) for _ in range(4))
    image_1CHW = encoded.image.sample(posterior) * (1 - encoded.mask_11HW)
    if content == "latent_noise":
        image_1CHW = image_1CHW + content_noise * encoded.mask_11HW

    expected = Recorded(work, image_1CHW, start).latents(epsilon)

    assert relative(denoise_alone(epsilon, work), expected) <= 1e-4


class Recorded:
    """Diffusers' pipeline on latents in the place of pictures, its draws the ones we expect."""

    def __init__(self, work: Work, image_1CHW: Tensor, start_1CHW: Tensor) -> None:
        self._work, self._image_1CHW, self._start_1CHW = work, image_1CHW, start_1CHW

    def latents(self, checkpoint: Checkpoint) -> Tensor:
        """Schedulers that draw noise draw it where the engine's generator stands: after four draws or three."""
        pipe = pipeline(StableDiffusionInpaintPipeline, checkpoint, self._work.plan.scheduler)
        plan, canvas = self._work.plan, canvas_of(self._work)
        pipe.prepare_latents = self._prepared(pipe)
        dice = torch.Generator("cpu").manual_seed(plan.seeds[0])
        for _ in range(4 if canvas.content == "latent_noise" else 3):
            torch.randn(1, 4, 8, 8, generator=dice)
        latents: Tensor = pipe(
            plan.prompt,
            negative_prompt=plan.negative_prompt,
            image=self._image_1CHW,
            mask_image=Image.fromarray(canvas.mask_HW.astype(np.uint8) * 255),
            masked_image_latents=self._image_1CHW,
            width=plan.width,
            height=plan.height,
            strength=plan.start.strength,
            num_inference_steps=plan.steps,
            guidance_scale=plan.guidance_scale,
            generator=dice,
            output_type="latent",
        ).images
        return latents

    def _prepared(self, pipe: Any) -> Any:
        def prepare_latents(*_: Any, timestep: Tensor, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
            mixed = pipe.scheduler.add_noise(self._image_1CHW, self._start_1CHW, timestep)
            return mixed, self._start_1CHW, self._image_1CHW

        return prepare_latents


def test_a_latent_is_masked_when_any_pixel_of_it_is() -> None:
    pixels = np.zeros((64, 64), np.bool_)
    pixels[23, 7] = True

    found = latent_mask(pixels, 8)

    assert found.nonzero().tolist() == [[0, 0, 2, 0]]
