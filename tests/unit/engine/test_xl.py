"""What Stable Diffusion XL and its refiner make here is what diffusers' own pipelines make of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from torch import Tensor

from tests.unit.engine.canvases import canvas_of, redrawn, repainted
from tests.unit.engine.checkpoints import CPU, small_vae
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.works import develop, make_plan
from tests.unit.engine.xl import pipeline
from worker.engine import Work
from worker.engine.conditions import conditions
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder

pytestmark = pytest.mark.slow

SIZE, BOTH = (96, 64), ("negative_prompt", "prompt")
FIELDS: dict[str, Any] = {"scheduler": "euler", "guidance_scale": 5.0, "seeds": (77,)}


def oracle(kind: Any, checkpoint: Checkpoint, work: Work, output_type: str = "latent", **inputs: Any) -> Any:
    """By diffusers of the work's plan and these pictures. To it, none and an empty negative prompt are two things."""
    plan = work.plan
    return pipeline(kind, checkpoint.spec.path)(
        plan.prompt,
        negative_prompt=plan.negative_prompt or None,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(plan.seeds[0]),
        output_type=output_type,
        **inputs,
    ).images


@pytest.mark.parametrize("fields", [{"negative_prompt": "a blue square"}, {"guidance_scale": 1.0}, {"width": 96}])
def test_latents_equal_those_of_the_pipeline(xl: Checkpoint, fields: dict[str, Any]) -> None:
    plan = make_plan(**{**FIELDS, **fields})
    size = {"width": plan.width, "height": plan.height}

    expected = oracle(StableDiffusionXLPipeline, xl, Work("job", 1, plan), **size)

    assert relative(denoise_alone(xl, plan), expected) <= 1e-4


def test_the_picture_equals_that_of_the_pipeline(xl: Checkpoint) -> None:
    work = Work("job", 1, make_plan(**FIELDS))
    expected = oracle(StableDiffusionXLPipeline, xl, work, "np", width=64, height=64)[0] * 255

    made = develop(xl, [work]).images["job"][0]

    assert np.abs(made.astype(float) - expected).max() <= 0.51


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("model", ["xl", "refiner"])
def test_image_to_image(request: pytest.FixtureRequest, model: str, strength: float) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    work = redrawn(strength=strength, negative_prompt="a blue square", **FIELDS)
    image = Image.fromarray(work.canvas.rgb_HW3)

    expected = oracle(StableDiffusionXLImg2ImgPipeline, checkpoint, work, image=image, strength=strength)

    assert relative(denoise_alone(checkpoint, work), expected) <= 1e-4


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("model", ["xl", pytest.param("xl_inpainting", marks=pytest.mark.slow)])
def test_inpainting(request: pytest.FixtureRequest, model: str, strength: float) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(model)
    work = repainted(strength=strength, **FIELDS)
    canvas = canvas_of(work)
    inputs = {
        "image": Image.fromarray(canvas.rgb_HW3),
        "mask_image": Image.fromarray(canvas.mask_HW.astype(np.uint8) * 255),
        "width": 64,
        "height": 64,
    }

    expected = oracle(StableDiffusionXLInpaintPipeline, checkpoint, work, strength=strength, **inputs)

    assert relative(denoise_alone(checkpoint, work), expected) <= 1e-4


def test_rows_of_any_length_with_sizes_and_pooled_text_share_a_pass(xl: Checkpoint) -> None:
    plans = [
        make_plan(**{**FIELDS, "prompt": "a red circle BREAK two blue stars", "negative_prompt": "green"}),
        make_plan(**{**FIELDS, "prompt": "a green square", "scheduler": "unipc", "steps": 3}),
        make_plan(**{**FIELDS, "guidance_scale": 1.0, "steps": 5}),
    ]
    alone = [denoise_alone(xl, plan) for plan in plans]

    together = denoise_together(xl, plans, every=1)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5


def test_a_base_is_told_of_sizes_and_a_refiner_of_beauty(xl: Checkpoint, refiner: Checkpoint) -> None:
    plan = make_plan()

    sizes, beauty = [64, 96, 0, 0, 64, 96], ([64, 96, 0, 0, 2.5], [64, 96, 0, 0, 6.0])
    assert ids(conditions(plan, xl, SIZE)) == dict.fromkeys(BOTH, sizes)
    assert ids(conditions(plan, refiner, SIZE)) == dict(zip(BOTH, beauty, strict=True))


def ids(conditions: dict[str, Any]) -> dict[str, list[float]]:
    return {field: condition.time_ids_1K[0].tolist() for field, condition in conditions.items()}


def test_an_empty_negative_prompt_is_silence_where_the_model_says_so(xl: Checkpoint, refiner: Checkpoint) -> None:
    def largest(tensor: Tensor) -> float:
        return float(tensor.abs().max())

    silent = conditions(make_plan(prompt=""), xl, SIZE)
    assert largest(silent["negative_prompt"].context_1TC) == largest(silent["negative_prompt"].pooled_1P) == 0
    assert largest(silent["prompt"].context_1TC) > 0 < largest(silent["prompt"].pooled_1P)
    assert largest(conditions(make_plan(), refiner, SIZE)["negative_prompt"].context_1TC) > 0
    assert largest(conditions(make_plan(negative_prompt="blue"), xl, SIZE)["negative_prompt"].context_1TC) > 0


def test_a_vae_that_overflows_is_not_tried_in_half_precision(xl: Checkpoint, epsilon: Checkpoint) -> None:
    half = replace(xl, dtype=torch.float16)
    assert half.vae_dtypes == (torch.float32,)
    assert replace(half, vae=small_vae(force_upcast=False)).vae_dtypes == (torch.float16, torch.float32)
    assert epsilon.vae.config.force_upcast
    assert replace(epsilon, dtype=torch.float16).vae_dtypes == (torch.float16, torch.float32)


def test_in_half_precision_only_the_vae_is_not(xl: Checkpoint, xl_folder: Path) -> None:
    half = load_folder("model", xl_folder, CPU, torch.bfloat16)
    work = Work("job", 1, make_plan(**{**FIELDS, "steps": 2}))

    made, expected = (develop(checkpoint, [work]).images["job"][0] for checkpoint in (half, xl))

    assert {parameter.dtype for parameter in half.vae.parameters()} == {torch.float32}
    assert {parameter.dtype for parameter in half.unet.parameters()} == {torch.bfloat16}
    assert np.abs(made.astype(float) - expected).mean() < 2
