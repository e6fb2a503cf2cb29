"""Pictures encoded once and captions read once: diffusion trains on the results alone."""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from training.captions import caption
from training.scenes import Scene, render, sample_scene
from training.shapes import SIDE
from training.text import TextModel, tokens

SIZES = {  # (width, height) px: pictures
    (SIDE, SIDE): 36_000,
    (SIDE * 3 // 2, SIDE): 2_000,
    (SIDE, SIDE * 3 // 2): 2_000,
}
CAPTIONS = 2  # a picture
ENCODE_BATCH = 16


@dataclass
class Drawings:
    """Encoded pictures of one size: latents, NCHW bfloat16, and `CAPTIONS` captions of each in a row."""

    latents_NCHW: Tensor
    captions: list[str]


@dataclass
class Bucket:
    """Latents of one picture size with the features of their captions: NCHW and NKTC, bfloat16."""

    latents_NCHW: Tensor
    texts_NKTC: Tensor

    def __len__(self) -> int:
        return len(self.latents_NCHW)


def draw_scenes(rng: random.Random, count: int, width: int, height: int) -> Iterator[list[Scene]]:
    """`count` training scenes in batches."""
    for start in range(0, count, ENCODE_BATCH):
        size = min(ENCODE_BATCH, count - start)
        yield [sample_scene(rng, width=width, height=height) for _ in range(size)]


def encode_pictures(vae: AutoencoderKL, pictures: list[np.ndarray]) -> Tensor:
    """Pictures to latents of about unit variance, the posterior's mean: NCHW, the autoencoder's dtype."""
    pictures_NCHW = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    posterior = vae.encode(pictures_NCHW.to(vae.dtype)).latent_dist
    return posterior.mean * vae.config.scaling_factor


@torch.no_grad()
def read_captions(text: TextModel, captions: list[str], batch: int = 128) -> Tensor:
    """The encoder's features of each caption: NTC, bfloat16."""
    ids_NT = tokens(text.tokenizer, captions)
    return torch.cat([text.encoder(part).last_hidden_state.bfloat16() for part in ids_NT.split(batch)])


@torch.no_grad()
def encode_drawings(
    vae: AutoencoderKL, rng: random.Random, size: tuple[int, int], count: int, stroke: float | None = None
) -> Drawings:
    """Draw and encode `count` pictures of one size, in lines of `stroke` pixels where that is given."""
    width, height = size
    latents, captions = [], []
    for scenes in draw_scenes(rng, count, width, height):
        latents.append(encode_pictures(vae, [render(rng, scene, stroke) for scene in scenes]).bfloat16())
        captions += [caption(rng, scene) for scene in scenes for _ in range(CAPTIONS)]
    return Drawings(torch.cat(latents), captions)


def encode_all(vae: AutoencoderKL, seed: int, sizes: dict[tuple[int, int], int] | None = None) -> list[Drawings]:
    """Drawings of every size, the square ones first."""
    rng = random.Random(seed)
    encoder = copy.deepcopy(vae).to(torch.bfloat16).eval()
    return [encode_drawings(encoder, rng, size, count) for size, count in (sizes or SIZES).items()]


def buckets(text: TextModel, drawings: list[Drawings]) -> list[Bucket]:
    """The drawings with their captions read."""
    return [Bucket(d.latents_NCHW, read_captions(text, d.captions).unflatten(0, (-1, CAPTIONS))) for d in drawings]
