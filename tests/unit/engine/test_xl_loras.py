"""What LoRAs do to Stable Diffusion XL here is what they do in diffusers' own pipeline, whoever trained them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import save_file

from darkroom.catalog.lora_fit import base_shapes
from darkroom.catalog.loras import read_lora
from tests.unit.engine.latents import denoise_alone, denoise_together, relative
from tests.unit.engine.loras import (
    ATTENTION,
    CONVOLUTIONS,
    TEXT,
    Halves,
    load,
    planned,
    random_halves,
    sha256,
    write_peft,
)
from tests.unit.engine.works import make_plan
from tests.unit.engine.xl import pipeline
from worker.models.checkpoint import Checkpoint

EVERYWHERE = (*ATTENTION, *CONVOLUTIONS, *TEXT)
PREFIXES = {"unet": "lora_unet_", "text_encoder": "lora_te1_text_model_", "text_encoder_2": "lora_te2_text_model_"}

# Stability's names for the parts of an outer block, after the original's `input_blocks` and `output_blocks`.
RESNET = {
    "conv1": "in_layers_2",
    "conv2": "out_layers_3",
    "time_emb_proj": "emb_layers_1",
    "conv_shortcut": "skip_connection",
}


def write_kohya_xl(
    file: Path, halves: Mapping[tuple[str, str], Halves], alpha: float, *, stability: bool = False
) -> Path:
    tensors = {}
    for (network, path), (down, up) in halves.items():
        layer = path.removeprefix("text_model.").replace(".", "_")
        name = PREFIXES[network] + (stability_name(layer) if stability and network == "unet" else layer)
        tensors |= {
            f"{name}.lora_down.weight": down,
            f"{name}.lora_up.weight": up,
            f"{name}.alpha": torch.tensor(alpha),
        }
    save_file(tensors, file, metadata={"ss_base_model_version": "sdxl_base_v1-0"})
    return file


def stability_name(layer: str) -> str:
    """A layer's name in Stability's own network of two layers a block, written out from its construction."""
    if found := re.fullmatch(r"mid_block_(resnets|attentions)_(\d)_(.+)", layer):
        part = 1 if found[1] == "attentions" else 2 * int(found[2])
        return f"middle_block_{part}_{RESNET.get(found[3], found[3])}"
    found = re.fullmatch(r"(down|up)_blocks_(\d)_(resnets|attentions)_(\d)_(.+)", layer)
    assert found, layer
    way, block, kind, number, rest = found.groups()
    index = 3 * int(block) + int(number) + (way == "down")
    outer = "input_blocks" if way == "down" else "output_blocks"
    return f"{outer}_{index}_{int(kind == 'attentions')}_{RESNET.get(rest, rest)}"


def difference(checkpoint: Checkpoint, file: Path, weight: float) -> float:
    """Between our latents and the pipeline's, relative; and see that the LoRA did something at all."""
    plan = make_plan(scheduler="euler", negative_prompt="a blue square", seeds=(77,), steps=3)
    pipe = pipeline(StableDiffusionXLPipeline, checkpoint.spec.path)
    pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name="worn")
    pipe.set_adapters(["worn"], [weight])
    expected = pipe(
        plan.prompt,
        negative_prompt=plan.negative_prompt,
        width=plan.width,
        height=plan.height,
        num_inference_steps=plan.steps,
        guidance_scale=plan.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(77),
        output_type="latent",
    ).images
    pipe.unload_lora_weights()
    assert relative(denoise_alone(checkpoint, plan), expected) > 0.01
    wearing = plan.model_copy(update={"loras": (planned(file, weight),)})
    return relative(denoise_alone(checkpoint, wearing, loras={sha256(file): load(file)}), expected)


@pytest.mark.parametrize("targets", [TEXT, pytest.param(EVERYWHERE, marks=pytest.mark.slow)])
def test_kohya_files_for_both_text_encoders(xl: Checkpoint, tmp_path: Path, targets: tuple[str, ...]) -> None:
    halves = random_halves(xl, targets, rank=2, seed=1)
    assert {network for network, _ in halves} >= {"text_encoder", "text_encoder_2"}

    assert difference(xl, write_kohya_xl(tmp_path / "a.safetensors", halves, alpha=1.0), 0.8) <= 1e-4


@pytest.mark.slow
def test_kohya_files_by_stabilitys_names(xl: Checkpoint, tmp_path: Path) -> None:
    halves = random_halves(xl, EVERYWHERE, rank=3, seed=2)

    assert difference(xl, write_kohya_xl(tmp_path / "a.safetensors", halves, alpha=2.0, stability=True), 1.0) <= 1e-4


@pytest.mark.slow
def test_files_of_diffusers(xl: Checkpoint, tmp_path: Path) -> None:
    halves = random_halves(xl, (*ATTENTION, *TEXT), rank=4, seed=3)

    assert difference(xl, write_peft(tmp_path / "a.safetensors", halves), -0.7) <= 1e-4


def test_whether_one_fits_is_told_from_headers(xl: Checkpoint, epsilon: Checkpoint, tmp_path: Path) -> None:
    bases = {"xl": base_shapes(xl.spec), "other": base_shapes(epsilon.spec)}
    halves = random_halves(xl, EVERYWHERE, rank=2, seed=4)
    file = write_kohya_xl(tmp_path / "a.safetensors", halves, alpha=1.0, stability=True)

    spec = read_lora("a", file, bases, sha256)

    assert (spec.models, set(spec.misfits)) == (("xl",), {"other"})
    assert spec.networks == ("text_encoder", "text_encoder_2", "unet")


def test_rows_with_other_loras_and_none_share_a_pass(xl: Checkpoint, tmp_path: Path) -> None:
    files = [
        write_kohya_xl(tmp_path / f"{seed}.safetensors", random_halves(xl, targets, rank=seed, seed=seed), alpha=1.0)
        for seed, targets in ((1, ATTENTION), (2, TEXT))
    ]
    loras = {sha256(file): load(file) for file in files}
    plans: list[Any] = [make_plan(steps=2, scheduler="euler", loras=(planned(file, 0.5),)) for file in files]
    plans.append(make_plan(steps=2, scheduler="euler"))
    alone = [denoise_alone(xl, plan, loras=loras) for plan in plans]

    together = denoise_together(xl, plans, loras=loras)

    assert max(relative(found, expected) for found, expected in zip(together, alone, strict=True)) <= 1e-5
    assert min(relative(alone[2], other) for other in alone[:2]) > 1e-3
