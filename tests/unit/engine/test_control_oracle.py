"""What the engine makes with ControlNets is what diffusers' own pipelines make with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionControlNetInpaintPipeline,
    StableDiffusionControlNetPipeline,
)
from PIL import Image
from torch import Tensor

from darkroom.contract.controlnet import PlannedControl
from darkroom.contract.start import FromNoise
from tests.unit.engine.canvases import canvas_of, redrawn, repainted
from tests.unit.engine.controls import as_images, load, planned, steered, write_controlnet
from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.test_oracle import SAMPLERS
from tests.unit.engine.test_picture_oracle import components
from tests.unit.engine.works import make_work
from worker.engine import Work
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet

pytestmark = pytest.mark.slow

# (which net, scale, start, end) of each control.
Asked = Sequence[tuple[int, float, float, float]]
ONE: Asked = [(0, 1.0, 0.0, 1.0)]
TWO: Asked = [(0, 0.7, 0.0, 0.6), (1, 1.3, 0.4, 1.0)]
THREE: Asked = [(1, 0.5, 0.2, 0.8), (0, 2.0, 0.0, 1.0), (1, 0.9, 0.0, 0.5)]
CASES = [ONE, TWO, THREE]
SCHEDULERS = ["ddim", "euler_a", "heun", "dpmpp_2m_karras"]


@pytest.fixture(scope="module")
def folders(epsilon: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("nets")
    return [write_controlnet(root / f"net-{seed}", epsilon.unet, seed) for seed in (21, 22)]


@pytest.fixture(scope="module")
def nets(folders: list[Path]) -> list[Controlnet]:
    return [load(folder) for folder in folders]


def controls(nets: Sequence[Controlnet], asked: Asked) -> list[PlannedControl]:
    return [planned(nets[index], scale, start, end) for index, scale, start, end in asked]


def oracle(kind: Any, checkpoint: Checkpoint, folders: list[Path], work: Work, asked: Asked, **inputs: Any) -> Tensor:
    """Latents by diffusers' pipeline of this kind."""
    plan, maps = work.plan, as_images(work)
    known = {index: ControlNetModel.from_pretrained(folders[index]) for index, *_ in asked}
    pipe = kind(
        **components(checkpoint.spec.path),
        controlnet=[known[index] for index, *_ in asked],
        requires_safety_checker=False,
    )
    class_name, overrides = SAMPLERS[plan.scheduler]
    pipe.scheduler = getattr(diffusers, class_name).from_config(pipe.scheduler.config, **overrides)
    pipe.set_progress_bar_config(disable=True)
    if not isinstance(plan.start, FromNoise):
        inputs |= {"strength": plan.start.strength, "control_image": maps}
    latents: Tensor = pipe(
        plan.prompt,
        negative_prompt=plan.negative_prompt,
        width=plan.width,
        height=plan.height,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        controlnet_conditioning_scale=[scale for _, scale, _, _ in asked],
        control_guidance_start=[start for _, _, start, _ in asked],
        control_guidance_end=[end for _, _, _, end in asked],
        generator=torch.Generator("cpu").manual_seed(plan.seeds[0]),
        output_type="latent",
        **inputs,
    ).images
    return latents


FIELDS: dict[str, Any] = {"negative_prompt": "a blue square", "seeds": (77,), "steps": 5}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("asked", CASES)
def test_from_words(
    epsilon: Checkpoint, folders: list[Path], nets: list[Controlnet], scheduler: str, asked: Asked
) -> None:
    work = steered(make_work(scheduler=scheduler, **FIELDS), *controls(nets, asked))

    found = denoise_alone(epsilon, work, nets=nets)

    expected = oracle(StableDiffusionControlNetPipeline, epsilon, folders, work, asked, image=as_images(work))
    assert relative(found, expected) <= 1e-4
    # It must matter, or the test could not fail.
    assert relative(denoise_alone(epsilon, make_work(scheduler=scheduler, **FIELDS)), expected) > 1e-2


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("asked", [TWO, THREE])
def test_from_a_picture(
    epsilon: Checkpoint, folders: list[Path], nets: list[Controlnet], scheduler: str, asked: Asked
) -> None:
    work = steered(redrawn(strength=0.6, scheduler=scheduler, **FIELDS), *controls(nets, asked))
    shown = Image.fromarray(work.canvas.rgb_HW3)

    expected = oracle(StableDiffusionControlNetImg2ImgPipeline, epsilon, folders, work, asked, image=shown)

    assert relative(denoise_alone(epsilon, work, nets=nets), expected) <= 1e-4


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("model", ["epsilon", "inpainting"])
def test_of_a_part(
    request: pytest.FixtureRequest, folders: list[Path], nets: list[Controlnet], model: str, strength: float
) -> None:
    """A network made for inpainting is told of mask and rest; its ControlNet of the latents alone."""
    checkpoint: Checkpoint = request.getfixturevalue(model)
    work = steered(repainted(strength=strength, **FIELDS), *controls(nets, TWO))
    pictures = {
        "image": Image.fromarray(canvas_of(work).rgb_HW3),
        "mask_image": Image.fromarray(canvas_of(work).mask_HW.astype(np.uint8) * 255),
    }

    expected = oracle(StableDiffusionControlNetInpaintPipeline, checkpoint, folders, work, TWO, **pictures)

    assert relative(denoise_alone(checkpoint, work, nets=nets), expected) <= 1e-4
