"""Trains the style LoRA that ships with the embedded model: `python -m training.lora`, about 5 minutes on one core.

Shapes become outlines: hollow, in the colour that the caption names, on the background that it names. Low-rank
adaptation is Hu et al. 2021 (https://arxiv.org/abs/2106.09685): each adapted layer learns up(down(x)) on top of
weights that stay as they are. The same seed on the same machine with the same thread count gives the same file.
`python -m benchmarks.outline` says how well it draws.
"""

import argparse
import copy
import logging
import random
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor

from training import diffusion
from training.autoencoder import Report
from training.evaluate import load
from training.latents import Bucket, buckets, encode_drawings, read_captions
from training.precision import MasterWeights, averaged, cosine_rate
from training.shapes import SIDE
from training.text import TextModel
from training.train import Journal

SEED = 3
THREADS = 1  # results depend on it: sums are taken in another order
RANK = 8
# Attention, where the caption is read, and the convolutions of the finest block, which draw the edges.
TARGETS = r".*\.to_(q|k|v|out\.0)|up_blocks\.2\.resnets\..*\.conv[12]"
STROKE = 6.0  # px, the width of a line; a latent is 8 px wide
PICTURES = 3_000
STEPS = 1_000  # of diffusion.BATCH pictures
RATE, WARMUP = 2e-3, 50
AVERAGE_DECAY = 0.99

log = logging.getLogger("training")


def adapt(unet: UNet2DConditionModel) -> list[torch.nn.Parameter]:
    """Freeze the U-Net and give it a LoRA that does nothing yet; the weights that will learn."""
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights="gaussian", target_modules=TARGETS))
    unet.set_attn_processor(AttnProcessor())  # PyTorch's fused attention is several times slower in bfloat16 on CPUs
    return [parameter for parameter in unet.parameters() if parameter.requires_grad]


def train_lora(
    unet: UNet2DConditionModel, drawings: list[Bucket], empty_TC: Tensor, seed: int, report: Report, steps: int = STEPS
) -> dict[str, Tensor]:
    """The LoRA of `unet` that draws as `drawings` are drawn, float16, named as diffusers names it."""
    torch.manual_seed(seed)
    weights = MasterWeights(unet, adapt(unet), AVERAGE_DECAY)
    batches = diffusion.Batches(drawings, empty_TC, seed)
    alphas_T = diffusion.scheduler().alphas_cumprod
    for step in range(steps):
        loss = diffusion.velocity_loss(unet, batches, step, alphas_T)
        loss.backward()
        weights.step(cosine_rate(step, steps, RATE, WARMUP))
        report("lora", step, loss.item())
    learned = convert_state_dict_to_diffusers(get_peft_model_state_dict(averaged(unet, weights)))
    return {name: tensor.half().contiguous() for name, tensor in learned.items()}


def make(model: Path, out: Path, report: Report, pictures: int = PICTURES, steps: int = STEPS) -> None:
    """Train on the checkpoint in `model` and write the LoRA to the file `out`."""
    pipeline = load(model)
    words = TextModel(pipeline.tokenizer, pipeline.text_encoder, pipeline.unet.add_embedding)
    encoder = copy.deepcopy(pipeline.vae).to(torch.bfloat16)
    drawn = encode_drawings(encoder, random.Random(SEED), (SIDE, SIDE), pictures, STROKE)
    drawings = buckets(words, [drawn])  # their captions do not speak of the style
    learned = train_lora(pipeline.unet, drawings, read_captions(words, [""])[0], SEED, report, steps)
    out.parent.mkdir(parents=True, exist_ok=True)
    StableDiffusionPipeline.save_lora_weights(out.parent, unet_lora_layers=learned, weight_name=out.name)
    out.chmod(0o644)  # safetensors writes files that only their owner may read
    log.info("%s: %d bytes", out, out.stat().st_size)


def main() -> None:
    """Command line: the checkpoint and the file to write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("worker/tiny/model"))
    parser.add_argument("--out", type=Path, default=Path("worker/tiny/loras/outline.safetensors"))
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    make(options.model, options.out, Journal(None).report, options.pictures, options.steps)


if __name__ == "__main__":
    main()
