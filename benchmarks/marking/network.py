"""The embedded model as a draughtsman, and as an attacker who draws a picture anew to be rid of its mark.

Regeneration is known to remove marks of this kind (Zhao and others, arXiv 2306.01953).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from benchmarks.marking.attacks import RGB, Attack
from training.evaluate import GUIDANCE, STEPS, generate, held_out_prompts, load

__all__ = ["TINY", "drawn", "load", "regenerations"]

TINY = Path(__file__).parent.parent.parent / "worker" / "tiny" / "model"
STRENGTHS = (0.1, 0.2, 0.3)


def drawn(pipeline: StableDiffusionPipeline, count: int) -> list[RGB]:
    """128 px pictures of held-out prompts."""
    torch.set_num_threads(1)
    return generate(pipeline, [prompt.text for prompt in held_out_prompts("count", count)])


def regenerations(pipeline: StableDiffusionPipeline) -> Iterator[tuple[str, Attack]]:
    """The round trip through the VAE, and image to image at low strengths with an empty prompt."""
    again = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    again.set_progress_bar_config(disable=True)
    yield "VAE round trip", lambda rgb: _round_trip(pipeline, rgb)
    for strength in STRENGTHS:
        yield f"image to image {strength}", lambda rgb, strength=strength: _redrawn(again, rgb, strength)


@torch.inference_mode()
def _round_trip(pipeline: StableDiffusionPipeline, rgb_HWC: RGB) -> RGB:
    pixels_1CHW = torch.from_numpy(rgb_HWC.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    latents = pipeline.vae.encode(pixels_1CHW).latent_dist.mode()
    back_HWC = pipeline.vae.decode(latents).sample[0].permute(1, 2, 0)
    return ((back_HWC + 1) * 127.5).round().clamp(0, 255).byte().numpy()


def _redrawn(again: StableDiffusionImg2ImgPipeline, rgb_HWC: RGB, strength: float) -> RGB:
    made = again(
        prompt="",
        image=Image.fromarray(rgb_HWC),
        strength=strength,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(0),
    )
    return np.asarray(made.images[0])
