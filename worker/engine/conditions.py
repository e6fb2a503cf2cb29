"""What the network is told of a plan besides the latents: its words and, for Stable Diffusion XL, its size.

After `encode_prompt` and `_get_add_time_ids` of diffusers' `StableDiffusionXLPipeline` and its img2img sibling.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from worker.engine.request import guided
from worker.models.checkpoint import Checkpoint
from worker.models.conditioning import Conditioning

Size = tuple[int, int]  # width, height in pixels

# How beautiful the picture is, from 1 to 10: what a refiner is told of the wanted one, and of the unwanted.
AESTHETIC_SCORES: Mapping[str, float] = MappingProxyType({"prompt": 6.0, "negative_prompt": 2.5})


def conditions(plan: GenerationPlan, checkpoint: Checkpoint, size: Size) -> dict[str, Conditioning]:
    """By field of the plan, in the order of the rows: unconditional and conditional, or conditional alone.

    `size` is that of the picture, which may be another one than the plan's in later stages.
    """
    fields = ("negative_prompt", "prompt") if guided(plan) else ("prompt",)
    return {field: _condition(field, plan, checkpoint, size) for field in fields}


def _condition(field: str, plan: GenerationPlan, checkpoint: Checkpoint, size: Size) -> Conditioning:
    text = plan.negative_prompt if field == "negative_prompt" else plan.prompt
    words = checkpoint.text.encode(text, plan.clip_skip, plan.embeddings)
    if field == "negative_prompt" and not text and checkpoint.spec.force_zeros_for_empty_prompt:
        words = words.silenced()
    return replace(words, time_ids_1K=_time_ids(field, size, checkpoint))


def _time_ids(field: str, size: Size, checkpoint: Checkpoint) -> Tensor | None:
    """The size, of a picture that was neither scaled nor cropped; in float32, which holds any side exactly."""
    width, height = size
    numbers: list[float] = [height, width, 0, 0]
    match checkpoint.spec.family:
        case "sdxl":
            numbers += [height, width]
        case "sdxl_refiner":
            numbers += [AESTHETIC_SCORES[field]]
        case _:
            return None
    return torch.tensor([numbers], dtype=torch.float32, device=checkpoint.device)
