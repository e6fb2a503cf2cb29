"""How often a pipeline draws what was asked for: held-out prompts, drawn, then read back by the checker."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline

from training.captions import caption
from training.checker import check
from training.latents import encode_pictures
from training.scenes import Scene, render, sample_scene
from training.shapes import SIDE, Image

STEPS = 20  # sampler steps
GUIDANCE = 4.0  # classifier-free guidance scale
BATCH = 10  # pictures at a time
FIGURES = {"colour_and_shape": "single", "count": "count", "relation": "relation"}  # figure: kind of scene
SEED = 2026


@dataclass(frozen=True)
class Prompt:
    """A caption and the scene that it describes."""

    text: str
    scene: Scene


def held_out_prompts(kind: str, count: int, seed: int = SEED) -> list[Prompt]:
    """Prompts of scenes that training never draws; relations are all directed."""
    rng = random.Random(f"{kind} {seed}")
    prompts: list[Prompt] = []
    while len(prompts) < count:
        held_out = kind in ("single", "count", "relation", "position", "inside")
        scene = sample_scene(rng, kind, held_out)
        if kind == "count" and len(scene.things) != len(prompts) % 4 + 1:
            continue  # as many of each number
        if scene.relation != "and":
            prompts.append(Prompt(caption(rng, scene, full=True), scene))
    return prompts


def load(folder: Path) -> StableDiffusionPipeline:
    """The pipeline as anyone would load it."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generate(pipeline: StableDiffusionPipeline, texts: Sequence[str], seed: int = SEED) -> list[Image]:
    """One picture a text, each from its own seed."""
    pictures: list[Image] = []
    for start in range(0, len(texts), BATCH):
        part = list(texts[start : start + BATCH])
        seeds = [torch.Generator().manual_seed(seed + start + i) for i in range(len(part))]
        made = pipeline(
            part, num_inference_steps=STEPS, guidance_scale=GUIDANCE, width=SIDE, height=SIDE, generator=seeds
        )
        pictures += [np.asarray(picture) for picture in made.images]
    return pictures


def score(pipeline: StableDiffusionPipeline, kind: str, count: int, seed: int = SEED) -> tuple[list[bool], list[Image]]:
    """For each of `count` held-out prompts of one kind: whether its picture is right in everything; the pictures."""
    prompts = held_out_prompts(kind, count, seed)
    pictures = generate(pipeline, [prompt.text for prompt in prompts], seed)
    right = [check(picture, prompt.scene) for picture, prompt in zip(pictures, prompts, strict=True)]
    return right, pictures


def seconds_per_image(pipeline: StableDiffusionPipeline, repeats: int = 5) -> float:
    """Median wall time of one picture alone, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        generate(pipeline, ["a red circle on a white background"])
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]


def megabytes(folder: Path) -> float:
    """Size of all files of the folder, in 10^6 bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


@torch.no_grad()
def round_trip(vae: AutoencoderKL, kind: str, count: int, seed: int = SEED) -> float:
    """Share of held-out drawings that the checker still reads after encoding and decoding: diffusion's ceiling."""
    rng = random.Random(seed)
    right = []
    for prompt in held_out_prompts(kind, count, seed):
        latents = encode_pictures(vae, [render(rng, prompt.scene)]) / vae.config.scaling_factor
        decoded = vae.decode(latents).sample[0].permute(1, 2, 0)
        picture = ((decoded + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()
        right.append(check(picture, prompt.scene))
    return sum(right) / count
