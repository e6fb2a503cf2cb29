"""What LoRAs do here is what they do in diffusers' own pipeline."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline

from tests.unit.engine.latents import denoise_alone, relative
from tests.unit.engine.loras import (
    ATTENTION,
    CONVOLUTIONS,
    TEXT,
    load,
    planned,
    random_halves,
    sha256,
    write_kohya,
    write_peft,
)
from tests.unit.engine.works import make_plan
from worker.models.checkpoint import Checkpoint

# PEFT is glad to tell that a pipeline has several adapters, which is what we ask for.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Already found a `peft_config` attribute")]

Worn = list[tuple[Path, float]]


def pipeline(checkpoint: Checkpoint, loras: Worn) -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(checkpoint.spec.path, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for index, (file, _) in enumerate(loras):
        pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name=f"lora{index}")
    pipe.set_adapters([f"lora{index}" for index in range(len(loras))], [weight for _, weight in loras])
    return pipe


def difference(checkpoint: Checkpoint, loras: Worn, **fields: Any) -> float:
    """Between our latents and the pipeline's, relative; and see that the LoRAs did something at all."""
    plan = make_plan(negative_prompt="a blue square", seeds=(77,), **fields)
    expected = pipeline(checkpoint, loras)(
        plan.prompt,
        negative_prompt=plan.negative_prompt,
        width=plan.width,
        height=plan.height,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(77),
        output_type="latent",
    ).images
    assert relative(denoise_alone(checkpoint, plan), expected) > 0.01
    wearing = plan.model_copy(update={"loras": tuple(planned(file, weight) for file, weight in loras)})
    found = denoise_alone(checkpoint, wearing, loras={sha256(file): load(file) for file, _ in loras})
    return relative(found, expected)


@pytest.mark.parametrize("targets", [ATTENTION, CONVOLUTIONS, TEXT, (*ATTENTION, *CONVOLUTIONS, *TEXT)])
def test_kohya_files_with_their_alphas(epsilon: Checkpoint, tmp_path: Path, targets: tuple[str, ...]) -> None:
    file = write_kohya(tmp_path / "a.safetensors", random_halves(epsilon, targets, rank=3, seed=1), alpha=2.0)

    assert difference(epsilon, [(file, 0.8)]) <= 1e-4


@pytest.mark.parametrize("metadata", [{}, {"unet.r": 4, "unet.lora_alpha": 6, "unet.target_modules": list(ATTENTION)}])
def test_diffusers_files_with_the_scale_of_their_metadata(
    epsilon: Checkpoint, tmp_path: Path, metadata: dict[str, Any]
) -> None:
    halves = random_halves(epsilon, ATTENTION, rank=4, seed=2)
    written = {"lora_adapter_metadata": json.dumps(metadata)} if metadata else {}
    file = write_peft(tmp_path / "a.safetensors", halves, written)

    assert difference(epsilon, [(file, 1.0)], guidance_scale=1.0) <= 1e-4


def test_several_at_once_with_weights_of_both_signs(velocity: Checkpoint, tmp_path: Path) -> None:
    first = write_kohya(tmp_path / "a.safetensors", random_halves(velocity, ATTENTION, rank=2, seed=3), alpha=1.0)
    second = write_peft(
        tmp_path / "b.safetensors", random_halves(velocity, (*CONVOLUTIONS, *TEXT, "to_k"), rank=5, seed=4)
    )

    assert difference(velocity, [(first, 1.5), (second, -0.7)]) <= 1e-4
