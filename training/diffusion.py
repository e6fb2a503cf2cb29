"""The U-Net: from noise to latents, by the caption (Rombach et al. 2022, section 3.2; Ho et al. 2020).

The caption enters twice: token by token through cross-attention at 8 x 8 and 4 x 4, and as a whole through the time
embedding, which scales and shifts every residual block. The second way is what makes a model this small follow
counts and relations (LOG.md).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import Tensor

from training.autoencoder import Report
from training.latents import Bucket, read_captions
from training.parallel import ALONE, Team
from training.precision import MasterWeights, averaged, muon, trapezoid_rate
from training.text import CONDITION, POOL_HEADS, WIDTH, TextModel

CHANNELS = (48, 96, 96)  # widths at 16 x 16, 8 x 8 and 4 x 4 latents
ATTENTION_HEADS = 4
GROUPS = 8
STEPS, BATCH = 9_000, 40  # steps, pictures a step in each of the team's processes
RATE, WARMUP = 2e-3, 200
DECAY_SHARE = 0.3  # of the steps, at the end, the rate falls to zero
AVERAGE_DECAY = 0.998
CAPTION_DROPOUT = 0.1  # of samples see the empty caption, for classifier-free guidance (Ho and Salimans 2022)
MIDDLE_SHARE = 0.75  # of samples train where layout and outline are decided
MIDDLE = (100, 750)  # timesteps
ODD_EVERY = 20  # steps between two batches of a size that is not square
BETA_END = 0.02  # leaves 2e-4 of the signal's variance at the last step: sampling may start from pure noise
CHECKPOINT_EVERY = 200  # steps


@dataclass
class Progress:
    """Where a run stands, and where it is written so that it can go on."""

    file: Path | None = None
    step: int = 0


def scheduler() -> DDIMScheduler:
    """The noise schedule; `v_prediction` is Salimans and Ho 2022, appendix D."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=BETA_END,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="trailing",
    )


def build(text: TextModel | None = None) -> UNet2DConditionModel:
    """An untrained U-Net that reads captions through the pooling layer of `text`."""
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=ATTENTION_HEADS,  # diffusers reads it as the number of heads
        norm_num_groups=GROUPS,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=POOL_HEADS,
    )
    assert CHANNELS[0] * 4 == CONDITION
    if text is not None:
        unet.add_embedding.load_state_dict(text.pool.state_dict())
    return unet


class Batches:
    """Random latents with features of their captions, some captions dropped.

    What a step draws follows from the seed, the step and the rank alone, so a run may be cut off and go on.
    """

    def __init__(self, buckets: list[Bucket], empty_TC: Tensor, seed: int, team: Team = ALONE) -> None:
        self.buckets, self.empty_TC, self.seed, self.team = buckets, empty_TC, seed, team
        self.generator = torch.Generator()

    def begin(self, step: int) -> None:
        """Start the draws of `step`."""
        self.generator.manual_seed((self.seed << 40) + step * self.team.size + self.team.rank)

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self.generator)

    def _bucket(self, step: int) -> Bucket:
        odd = len(self.buckets) > 1 and step % ODD_EVERY == ODD_EVERY - 1
        return self.buckets[1 + (step // ODD_EVERY) % (len(self.buckets) - 1)] if odd else self.buckets[0]

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Latents, float32 NCHW, and caption features, bfloat16 NTC."""
        bucket = self._bucket(step)
        picks = self._integers(len(bucket), BATCH)
        texts_NTC = bucket.texts_NKTC[picks, self._integers(bucket.texts_NKTC.shape[1], BATCH)]
        dropped = torch.rand(BATCH, generator=self.generator) < CAPTION_DROPOUT
        texts_NTC[dropped] = self.empty_TC
        return bucket.latents_NCHW[picks].float(), texts_NTC

    def timesteps(self) -> Tensor:
        """`MIDDLE_SHARE` uniform in `MIDDLE`, the others uniform over all: int64, N."""
        low, high = MIDDLE
        middle = torch.rand(BATCH, generator=self.generator) < MIDDLE_SHARE
        return torch.where(middle, low + self._integers(high - low, BATCH), self._integers(1000, BATCH))

    def noise_like(self, latents_NCHW: Tensor) -> Tensor:
        return torch.randn(latents_NCHW.shape, generator=self.generator)


def noised(latents_NCHW: Tensor, noise_NCHW: Tensor, alphas_N: Tensor) -> tuple[Tensor, Tensor]:
    """The latents under noise, and v = sqrt(a) noise - sqrt(1 - a) latents (Salimans and Ho 2022)."""
    alpha = alphas_N.view(-1, 1, 1, 1)
    noisy_NCHW = alpha.sqrt() * latents_NCHW + (1 - alpha).sqrt() * noise_NCHW
    return noisy_NCHW, alpha.sqrt() * noise_NCHW - (1 - alpha).sqrt() * latents_NCHW


def velocity_loss(unet: UNet2DConditionModel, batches: Batches, step: int, alphas_T: Tensor) -> Tensor:
    """Mean squared error of the velocity."""
    batches.begin(step)
    latents_NCHW, texts_NTC = batches.draw(step)
    timesteps_N = batches.timesteps()
    noisy_NCHW, velocity_NCHW = noised(latents_NCHW, batches.noise_like(latents_NCHW), alphas_T[timesteps_N])
    made_NCHW = unet(noisy_NCHW.bfloat16(), timesteps_N, texts_NTC).sample
    return F.mse_loss(made_NCHW.float(), velocity_NCHW)


def save(progress: Progress, weights: MasterWeights) -> None:
    if progress.file is None:
        return
    partial = progress.file.with_suffix(".partial")
    torch.save({"step": progress.step, "weights": weights.state()}, partial)
    partial.replace(progress.file)


def load(progress: Progress, weights: MasterWeights) -> None:
    if progress.file is None or not progress.file.exists():
        return
    state = torch.load(progress.file, weights_only=True)
    progress.step = state["step"]
    weights.restore(state["weights"])


def train_unet(
    text: TextModel,
    buckets: list[Bucket],
    seed: int,
    report: Report,
    steps: int = STEPS,
    checkpoint: Path | None = None,
    team: Team = ALONE,
) -> UNet2DConditionModel:
    """The U-Net from nothing; goes on from `checkpoint` where that file is, with the same result.

    Rank 0 alone writes the checkpoint; all ranks read it, and come to the same weights.
    """
    torch.manual_seed(seed)
    unet = build(text)
    unet.set_attn_processor(AttnProcessor())  # PyTorch's fused attention is several times slower in bfloat16 on CPUs
    weights = MasterWeights(unet, unet.parameters(), AVERAGE_DECAY, muon, team)
    batches = Batches(buckets, read_captions(text, [""])[0], seed, team)
    alphas_T = scheduler().alphas_cumprod
    progress = Progress(checkpoint)
    load(progress, weights)
    for step in range(progress.step, steps):
        loss = velocity_loss(unet, batches, step, alphas_T)
        loss.backward()
        weights.step(trapezoid_rate(step, steps, RATE, WARMUP, DECAY_SHARE))
        report("diffusion", step, loss.item())
        progress.step = step + 1
        if progress.step % CHECKPOINT_EVERY == 0 and team.rank == 0:
            save(progress, weights)
    trained = averaged(unet, weights)
    trained.set_attn_processor(AttnProcessor2_0())
    return trained
