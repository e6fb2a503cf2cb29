"""The KL autoencoder: 128 px pictures to 4 x 16 x 16 latents and back (Rombach et al. 2022, section 3.1).

Encoder and decoder are trained together on crops, then the encoder is frozen and the decoder finishes on whole
pictures, with a little noise on the latents: diffusion never hits a latent exactly.
"""

import math
import random
from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from training.precision import MasterWeights, averaged, cosine_rate
from training.scenes import render, sample_scene
from training.shapes import OUTLINES, SIDE, Colour, Image

CHANNELS = (16, 32, 64, 64)  # widths at 128, 64, 32 and 16 px
PICTURES = 6000  # drawn once, cropped anew each step
WILD_SHARE = 0.15  # of pictures use any colour, gradient and outline, so that the model is no palette
JOINT_STEPS, JOINT_CROPS, CROP = 8500, 8, 64  # steps, crops a step, px
DECODER_STEPS, DECODER_PICTURES = 3000, 4
JOINT_RATE, DECODER_RATE = 1.5e-3, 8e-4
AVERAGE_DECAY = 0.998
EDGE_WEIGHT = 2.0  # extra weight of pixels within 2 px of an edge
EDGE_STEP = 0.15  # difference between neighbours (of 2) that counts as an edge
KL_WEIGHT = 3e-4
STATISTICS = 256  # pictures that tell the latents' mean and variance
LATENT_NOISE = 0.08  # of the latents' standard deviation, while the decoder finishes
FIRST_LOG_VARIANCE = -4.0  # the posterior starts narrow: the decoder sees a signal from the first step

Report = Callable[[str, int, float], None]  # (stage, step, loss)


def build() -> AutoencoderKL:
    """An untrained autoencoder."""
    model = AutoencoderKL(
        sample_size=SIDE,
        block_out_channels=CHANNELS,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
    )
    torch.nn.init.constant_(model.quant_conv.bias[4:], FIRST_LOG_VARIANCE)
    return model


def _any_colour(rng: random.Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _wild_ground(rng: random.Random, side: int) -> Image:
    first, second = np.array(_any_colour(rng)), np.array(_any_colour(rng))
    ramp = np.linspace(0, rng.choice([0, 0, 1]), side)[:, None, None]
    ground = np.broadcast_to(first * (1 - ramp) + second * ramp, (side, side, 3)).astype(np.uint8)
    return np.ascontiguousarray(ground if rng.random() < 0.5 else ground.transpose(1, 0, 2))


def wild_picture(rng: random.Random) -> Image:
    """Shapes filled and outlined in any colour, at any angle and size, over a flat or shaded ground."""
    side = 2 * SIDE
    canvas = _wild_ground(rng, side)
    for _ in range(rng.randint(1, 5)):
        turn = rng.uniform(-math.pi, math.pi)
        matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        centre = [rng.uniform(0, side), rng.uniform(0, side)]
        outline = OUTLINES[rng.choice(list(OUTLINES))] @ matrix * rng.uniform(20, 110) + centre
        points = [np.round(outline * 16).astype(np.int32)]
        if rng.random() < 0.35:
            cv2.polylines(canvas, points, True, _any_colour(rng), rng.randint(3, 10), cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(canvas, points, _any_colour(rng), cv2.LINE_AA, 4)
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)


def picture_pool(rng: random.Random, count: int) -> Tensor:
    """`count` training pictures: uint8, NCHW."""
    wild = [rng.random() < WILD_SHARE for _ in range(count)]
    pictures = [wild_picture(rng) if w else render(rng, sample_scene(rng)) for w in wild]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def to_unit(pictures_NCHW: Tensor) -> Tensor:
    """uint8 to float32 in -1..1."""
    return pictures_NCHW.float() / 127.5 - 1


def _crops(pool: Tensor, rng: random.Random, count: int, side: int) -> Tensor:
    crops = []
    for _ in range(count):
        y, x = rng.randint(0, SIDE - side), rng.randint(0, SIDE - side)
        crops.append(pool[rng.randrange(len(pool)), :, y : y + side, x : x + side])
    return to_unit(torch.stack(crops))


def _slopes(x_NCHW: Tensor) -> tuple[Tensor, Tensor]:
    return x_NCHW[..., 1:, :] - x_NCHW[..., :-1, :], x_NCHW[..., :, 1:] - x_NCHW[..., :, :-1]


def _edge_weights(down: Tensor, across: Tensor) -> Tensor:
    tall = F.pad((down.abs().amax(1, keepdim=True) > EDGE_STEP).float(), (0, 0, 1, 0))
    wide = F.pad((across.abs().amax(1, keepdim=True) > EDGE_STEP).float(), (1, 0, 0, 0))
    return 1 + EDGE_WEIGHT * F.max_pool2d(torch.maximum(tall, wide), 5, 1, 2)


def reconstruction_loss(made_NCHW: Tensor, wanted_NCHW: Tensor) -> Tensor:
    """Absolute and squared error, heavier near edges, plus the error of the slopes: crisp edges, flat fields."""
    down, across = _slopes(wanted_NCHW)
    made_down, made_across = _slopes(made_NCHW)
    weights = _edge_weights(down, across)
    error = made_NCHW - wanted_NCHW
    slopes = (made_down - down).abs().mean() + (made_across - across).abs().mean()
    return (weights * error.abs()).mean() + 2 * (weights * error.square()).mean() + slopes


def _joint_loss(model: AutoencoderKL, pictures: Tensor) -> Tensor:
    posterior = model.encode(pictures.bfloat16()).latent_dist
    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
    latents = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    made = model.decode(latents.bfloat16()).sample.float()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    return reconstruction_loss(made, pictures) + KL_WEIGHT * kl


def _decoder_loss(model: AutoencoderKL, pictures: Tensor, noise: float) -> Tensor:
    with torch.no_grad():
        latents = model.encode(pictures.bfloat16()).latent_dist.mean
    made = model.decode(latents + noise * torch.randn_like(latents)).sample.float()
    return reconstruction_loss(made, pictures)


def train_joint(seed: int, report: Report, steps: int = JOINT_STEPS) -> AutoencoderKL:
    """Encoder and decoder from nothing; its latents have zero mean and unit variance."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    pool = picture_pool(rng, min(PICTURES, 8 * steps))
    model = build()
    weights = MasterWeights(model, model.parameters(), AVERAGE_DECAY)
    for step in range(steps):
        loss = _joint_loss(model, _crops(pool, rng, JOINT_CROPS, CROP))
        loss.backward()
        weights.step(cosine_rate(step, steps, JOINT_RATE, warmup=100))
        report("autoencoder", step, loss.item())
    return standardised(averaged(model, weights), pool[:STATISTICS])


@torch.no_grad()
def standardised(model: AutoencoderKL, pool: Tensor) -> AutoencoderKL:
    """Give each latent channel zero mean and unit variance on `pool`, by the 1 x 1 convolutions on either side.

    What the decoder is given stays the same; diffusion finds four channels of equal weight, and `scaling_factor` is 1.
    """
    means_NCHW = torch.cat([model.encode(to_unit(part)).latent_dist.mean for part in pool.split(32)])
    shift, scale = means_NCHW.mean((0, 2, 3)), means_NCHW.std((0, 2, 3))
    inward, outward = model.quant_conv, model.post_quant_conv
    inward.weight[:4] /= scale.view(4, 1, 1, 1)
    inward.bias[:4] = (inward.bias[:4] - shift) / scale
    inward.bias[4:] -= 2 * scale.log()  # the posterior's log variance
    outward.bias += outward.weight[..., 0, 0] @ shift
    outward.weight *= scale.view(1, 4, 1, 1)
    model.register_to_config(scaling_factor=1.0)
    return model


def train_decoder(model: AutoencoderKL, seed: int, report: Report, steps: int = DECODER_STEPS) -> AutoencoderKL:
    """Finish the decoder on whole pictures; the encoder, and so every cached latent, stays as it is."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    pool = picture_pool(rng, min(PICTURES, 8 * steps))
    noise = LATENT_NOISE / model.config.scaling_factor
    parameters = [*model.post_quant_conv.parameters(), *model.decoder.parameters()]
    model.requires_grad_(False)
    for parameter in parameters:
        parameter.requires_grad_(True)
    model.train()
    weights = MasterWeights(model, parameters, AVERAGE_DECAY)
    for step in range(steps):
        loss = _decoder_loss(model, _crops(pool, rng, DECODER_PICTURES, SIDE), noise)
        loss.backward()
        weights.step(cosine_rate(step, steps, DECODER_RATE, warmup=50))
        report("decoder", step, loss.item())
    return averaged(model, weights)
