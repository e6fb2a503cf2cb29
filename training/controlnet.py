"""Trains the canny ControlNet that ships with the embedded model: `python -m training.controlnet`.

A trainable copy of the U-Net's first half sees an edge map beside the noise and adds what it finds to the frozen
U-Net's skip connections, through convolutions that begin at zero (Zhang et al. 2023, "Adding Conditional Control to
Text-to-Image Diffusion Models"). The same seed on the same machine with the same thread count gives the same file; a
run that was cut off goes on from its checkpoint. `python -m benchmarks.control` says how well pictures follow.
"""

import argparse
import copy
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import Tensor

from training.autoencoder import Report
from training.captions import caption
from training.diffusion import Progress, noised, save, scheduler
from training.diffusion import load as resume
from training.evaluate import load
from training.latents import CAPTIONS, encode_pictures, read_captions
from training.precision import MasterWeights, averaged, cosine_rate
from training.scenes import jittered, place, sample_scene
from training.shapes import Image, Item, draw
from training.text import TextModel
from training.train import Journal

SEED = 5
THREADS = 1  # results depend on it: sums are taken in another order
EMBEDDING = (8, 16, 32, 64)  # widths of the convolutions that take a map from 128 px to 16
THRESHOLDS = (100, 200)  # gradients at which cv2.Canny goes on with and begins a line
PICTURES = 8_000
LOOSE_SHARE = 0.5  # of pictures have shapes where, as large and as turned as no caption could say
SHIFT, TURN, GROWTH = 16.0, 0.5, (0.75, 1.25)  # px, rad, of the radius
STEPS, BATCH = 2_400, 32
CAPTION_DROPOUT = 0.3  # of samples know the map alone, so that the map is read
RATE, WARMUP = 1e-3, 100
AVERAGE_DECAY = 0.995
CHECKPOINT_EVERY = 200  # steps

log = logging.getLogger("training")


@dataclass(frozen=True)
class Sketches:
    """Pictures to learn: latents NCHW and caption features NKTC, bfloat16, and edge maps NHW, uint8, 0 or 255."""

    latents_NCHW: Tensor
    texts_NKTC: Tensor
    edges_NHW: Tensor


def edges(picture: Image) -> Image:
    """Canny's lines, 255 on 0, HW (Canny 1986; the colour gradient is the largest of the channels')."""
    return np.asarray(cv2.Canny(picture, *THRESHOLDS), np.uint8)


def loosened(rng: random.Random, item: Item) -> Item:
    """The item elsewhere, of another size and turned."""
    return replace(
        item,
        x=item.x + rng.uniform(-SHIFT, SHIFT),
        y=item.y + rng.uniform(-SHIFT, SHIFT),
        radius=item.radius * rng.uniform(*GROWTH),
        angle=item.angle + rng.uniform(-TURN, TURN),
    )


def sketched(rng: random.Random, count: int) -> Iterator[tuple[Image, list[str]]]:
    """`count` pictures of training scenes and `CAPTIONS` captions of each."""
    for _ in range(count):
        scene = sample_scene(rng)
        items = place(rng, scene)
        if rng.random() < LOOSE_SHARE:
            items = [loosened(rng, item) for item in items]
        yield draw(items, jittered(rng, scene.background)), [caption(rng, scene) for _ in range(CAPTIONS)]


@torch.no_grad()
def sketches(words: TextModel, vae: AutoencoderKL, rng: random.Random, count: int) -> Sketches:
    """Draw, trace and encode `count` pictures; the autoencoder in bfloat16."""
    drawn = list(sketched(rng, count))
    pictures = [picture for picture, _ in drawn]
    latents = [encode_pictures(vae, pictures[i : i + 16]).bfloat16() for i in range(0, count, 16)]
    texts = read_captions(words, [line for _, lines in drawn for line in lines])
    maps = torch.from_numpy(np.stack([edges(picture) for picture in pictures]))
    return Sketches(torch.cat(latents), texts.unflatten(0, (-1, CAPTIONS)), maps)


def build(unet: UNet2DConditionModel) -> ControlNetModel:
    """The copy of the U-Net's first half that will learn; it changes nothing yet.

    `from_unet` copies the layer that pools the caption, but not its number of heads: that layer learns anew.
    """
    return ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=EMBEDDING)


class Batches:
    """What a step draws follows from the seed and the step alone, so a run may be cut off and go on."""

    def __init__(self, data: Sketches, empty_TC: Tensor, seed: int) -> None:
        self.data, self.empty_TC, self.seed = data, empty_TC, seed
        self.generator = torch.Generator()

    def _integers(self, high: int) -> Tensor:
        return torch.randint(high, (BATCH,), generator=self.generator)

    def draw(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Latents, float32 NCHW, caption features, NTC, and maps, N3HW, both bfloat16."""
        self.generator.manual_seed((self.seed << 40) + step)
        picks = self._integers(len(self.data.latents_NCHW))
        texts_NTC = self.data.texts_NKTC[picks, self._integers(CAPTIONS)]
        texts_NTC[torch.rand(BATCH, generator=self.generator) < CAPTION_DROPOUT] = self.empty_TC
        maps_NHW = self.data.edges_NHW[picks].bfloat16() / 255
        maps_N3HW = maps_NHW.unsqueeze(1).repeat(1, 3, 1, 1).contiguous(memory_format=torch.channels_last)
        return self.data.latents_NCHW[picks].float(), texts_NTC, maps_N3HW

    def noise(self, latents_NCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Timesteps, N, uniform over all, and noise, NCHW."""
        return self._integers(1000), torch.randn(latents_NCHW.shape, generator=self.generator)


def control_loss(
    net: ControlNetModel, unet: UNet2DConditionModel, batches: Batches, step: int, alphas_T: Tensor
) -> Tensor:
    """Mean squared error of the velocity that the U-Net predicts with the ControlNet's residuals."""
    latents_NCHW, texts_NTC, maps_N3HW = batches.draw(step)
    timesteps_N, noise_NCHW = batches.noise(latents_NCHW)
    noisy_NCHW, velocity_NCHW = noised(latents_NCHW, noise_NCHW, alphas_T[timesteps_N])
    down, mid = net(noisy_NCHW.bfloat16(), timesteps_N, texts_NTC, maps_N3HW, return_dict=False)
    made_NCHW = unet(
        noisy_NCHW.bfloat16(),
        timesteps_N,
        texts_NTC,
        down_block_additional_residuals=down,
        mid_block_additional_residual=mid,
    ).sample
    return F.mse_loss(made_NCHW.float(), velocity_NCHW)


def train(
    net: ControlNetModel,
    unet: UNet2DConditionModel,
    batches: Batches,
    report: Report,
    steps: int = STEPS,
    checkpoint: Path | None = None,
) -> ControlNetModel:
    """The trained net, float32; `unet` is frozen and turned into bfloat16."""
    unet.requires_grad_(False).to(torch.bfloat16)
    for half in (net, unet):
        half.set_attn_processor(
            AttnProcessor()
        )  # PyTorch's fused attention is several times slower in bfloat16 on CPUs
    net.controlnet_cond_embedding.to(memory_format=torch.channels_last)  # half the time where a map is 128 px wide
    weights = MasterWeights(net, net.parameters(), AVERAGE_DECAY)
    alphas_T = scheduler().alphas_cumprod
    progress = Progress(checkpoint)
    resume(progress, weights)
    for step in range(progress.step, steps):
        loss = control_loss(net, unet, batches, step, alphas_T)
        loss.backward()
        weights.step(cosine_rate(step, steps, RATE, WARMUP))
        report("controlnet", step, loss.item())
        progress.step = step + 1
        if progress.step % CHECKPOINT_EVERY == 0:
            save(progress, weights)
    trained = averaged(net, weights)
    trained.set_attn_processor(AttnProcessor2_0())
    return trained.to(memory_format=torch.contiguous_format)


def make(model: Path, out: Path, journal: Journal, options: argparse.Namespace) -> None:
    """Train on the checkpoint in `model` and write the net to the folder `out`, in float16."""
    pipeline = load(model)
    words = TextModel(pipeline.tokenizer, pipeline.text_encoder, pipeline.unet.add_embedding)
    encoder = copy.deepcopy(pipeline.vae).to(torch.bfloat16)
    data = sketches(words, encoder, random.Random(SEED), options.pictures)
    log.info("%d pictures drawn", options.pictures)
    torch.manual_seed(SEED)
    net = build(pipeline.unet)
    batches = Batches(data, read_captions(words, [""])[0], SEED)
    options.work.mkdir(parents=True, exist_ok=True)
    trained = train(net, pipeline.unet, batches, journal.report, options.steps, options.work / "controlnet.pt")
    trained.half().save_pretrained(out, safe_serialization=True)
    for file in out.iterdir():
        file.chmod(0o644)  # safetensors writes files that only their owner may read


def main() -> None:
    """Command line: the checkpoint, and the folders to write and to keep the unfinished run in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("worker/tiny/model"))
    parser.add_argument("--out", type=Path, default=Path("worker/tiny/controlnets/canny"))
    parser.add_argument("--work", type=Path, default=Path("build/training"))
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    make(options.model, options.out, Journal(None), options)


if __name__ == "__main__":
    main()
