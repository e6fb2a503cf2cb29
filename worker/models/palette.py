"""The colours of latents, as good as a linear map can tell them: what sketches of unfinished pictures are painted with.

A VAE's latents are close to its pictures made small, in other coordinates. So the map is fitted to pairs of both that
the VAE makes itself: drawn pictures, and the latents that it encodes them to.
"""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad, unfold

from darkroom.errors import NanOutput

SIDE = 3  # of the square of latents that a colour is told from; one alone tells a fifth less of it
PICTURES = 8  # more gain nothing
LEAVES = 30  # discs in each
CELLS = 16  # latents along each side of one
SMALLEST, LARGEST = 0.06, 0.5  # radius of a disc, as shares of the side
VIVID = 0.5  # share of discs in one of the eight corners of the colour cube
SEED = 0
RIDGE = 0.03  # of the latents' variance, keeps the map small: latents on their way are not quite as a VAE makes them


@dataclass(frozen=True, eq=False)
class Palette:
    """RGB in [-1, 1] from the latents around: for those that the VAE has, not scaled for a U-Net."""

    weights_3Ckk: Tensor
    bias_3: Tensor

    def paint(self, latents_1CHW: Tensor) -> NDArray[np.uint8]:
        """A sketch of what the VAE would decode: H W 3, one pixel a latent."""
        framed = _framed(latents_1CHW, self.weights_3Ckk.shape[-1])
        rgb_3HW = conv2d(framed, self.weights_3Ckk, self.bias_3)[0]
        bytes_HW3 = ((rgb_3HW.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return bytes_HW3.cpu().numpy()


@torch.inference_mode()
def fit_palette(vae: Any) -> Palette:
    """By least squares, from pictures that `vae` encodes; it is left in its dtype.

    Half precision overflows in some VAEs, so latents that are not finite are encoded once more in float32.
    Raises: NanOutput.
    """
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    pictures_NHW3 = np.stack(dead_leaves(CELLS * factor))
    pictures_N3HW = torch.from_numpy(pictures_NHW3).permute(0, 3, 1, 2).float() / 127.5 - 1
    return fitted(_encoded(vae, pictures_N3HW), avg_pool2d(pictures_N3HW, factor))


def fitted(latents_NCHW: Tensor, small_N3HW: Tensor, side: int = SIDE) -> Palette:
    """That of pictures made as small as their latents, on the device of those."""
    seen = unfold(_framed(latents_NCHW.float().cpu(), side), side).transpose(1, 2).flatten(0, 1)
    colours = small_N3HW.flatten(2).transpose(1, 2).flatten(0, 1)
    weights, bias = _ridge(seen.double(), colours.double())
    weights_3Ckk = weights.float().T.reshape(3, latents_NCHW.shape[1], side, side)
    return Palette(weights_3Ckk.to(latents_NCHW.device), bias.float().to(latents_NCHW.device))


def _framed(latents_NCHW: Tensor, side: int) -> Tensor:
    """With neighbours beyond the edge."""
    return pad(latents_NCHW, (side // 2,) * 4, mode="replicate")


def _ridge(seen: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and bias of the map with the least sum of squares, of its errors and, by RIDGE, of its weights."""
    seen_mean, wanted_mean = seen.mean(0), wanted.mean(0)
    centred = seen - seen_mean
    kept_small = RIDGE * centred.square().mean() * torch.eye(seen.shape[1], dtype=seen.dtype)
    squares = centred.T @ centred / len(seen) + kept_small
    weights = torch.linalg.solve(squares, centred.T @ (wanted - wanted_mean) / len(seen))
    return weights, wanted_mean - seen_mean @ weights


def dead_leaves(side: int) -> list[NDArray[np.uint8]]:
    """Pictures of discs that cover one another, sizes by a power law, half of them in vivid colours; always the same.

    Such pictures have edges and flat parts as photographs do: Lee, Mumford and Huang, "Occlusion Models for Natural
    Images", IJCV 41, 2001.
    """
    dice = random.Random(SEED)  # noqa: S311  no secret
    return [_leaves(side, dice) for _ in range(PICTURES)]


def _leaves(side: int, dice: random.Random) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (side, side), _colour(dice))
    draw = ImageDraw.Draw(picture)
    for _ in range(LEAVES):
        ratio = SMALLEST / LARGEST
        radius = side * SMALLEST / (ratio + (1 - ratio) * dice.random())
        x, y = side * dice.random(), side * dice.random()
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), _colour(dice))
    return np.asarray(picture)


def _colour(dice: random.Random) -> tuple[int, int, int]:
    vivid = dice.random() < VIVID
    red, green, blue = (dice.choice((0, 255)) if vivid else dice.randrange(256) for _ in range(3))
    return red, green, blue


def _encoded(vae: Any, pictures_N3HW: Tensor) -> Tensor:
    own_dtype = vae.dtype
    try:
        for dtype in dict.fromkeys((own_dtype, torch.float32)):
            vae.to(dtype=dtype)
            latents_NCHW: Tensor = vae.encode(pictures_N3HW.to(vae.device, dtype)).latent_dist.mean
            if torch.isfinite(latents_NCHW).all():
                return latents_NCHW
    finally:
        vae.to(dtype=own_dtype)
    raise NanOutput("encoding a drawn picture ended in values that are not numbers, also in float32")
