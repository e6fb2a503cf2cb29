"""Who asks for what, and when; the same on every run."""

import random
import re
from collections.abc import Sequence
from itertools import accumulate

import torch

from darkroom.catalog import Catalog
from darkroom.contract.generation import TextToImage
from darkroom.contract.plan import GenerationPlan, PlannedLora
from darkroom.planner import plan
from training.evaluate import held_out_prompts
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Lora, Pair

# What people ask for differs in all of these. A static batcher can serve together only what agrees in them.
STEPS = (15, 20, 25, 30, 40, 50)
SCHEDULERS = ("ddim", "euler_a", "dpmpp_2m_karras")
GUIDANCE_SCALES = (4.0, 7.0)

LORAS, LORA_RANK = 4, 8
# The layers of the LoRA that ships: attention, and the convolutions of the finest block.
LORA_LAYERS = re.compile(r".*_to_(q|k|v|out_0)|up_blocks_2_resnets_._conv[12]")


def requests(catalog: Catalog, count: int) -> list[GenerationPlan]:
    """`count` plans at the default model's native size, hardly two with the same prompt and none with the same seed."""
    dice = random.Random(0)
    asked = (
        TextToImage(
            prompt=prompt.text,
            steps=dice.choice(STEPS),
            scheduler=dice.choice(SCHEDULERS),
            guidance_scale=dice.choice(GUIDANCE_SCALES),
            seed=seed,
        )
        for seed, prompt in enumerate(held_out_prompts("relation", count))
    )
    return [plan(each, catalog, now=0.0) for each in asked]


def arrivals(count: int, rate: float) -> list[float]:
    """Seconds at which they come: a Poisson process of `rate` a second, the same one stretched for every rate."""
    dice = random.Random(1)
    return [at / rate for at in accumulate(dice.expovariate(1.0) for _ in range(count))]


def at_once(count: int) -> list[float]:
    """All of them wait when the service opens."""
    return [0.0] * count


def with_loras(plans: Sequence[GenerationPlan]) -> list[GenerationPlan]:
    """The same plans, each with one of `LORAS` LoRAs."""
    dealt = [PlannedLora(model=f"lora{index}", sha256=str(index), weight=1.0) for index in range(LORAS)]
    return [each.model_copy(update={"loras": (dealt[index % LORAS],)}) for index, each in enumerate(plans)]


def random_lora(checkpoint: Checkpoint, sha256: str) -> Lora:
    """Small random changes, the same for the same name; what they draw does not matter here."""
    dice = torch.Generator().manual_seed(int(sha256))
    pairs = {}
    for (network, layer), module in checkpoint.layers.items():
        if network == "unet" and LORA_LAYERS.fullmatch(layer):
            out, into, *kernel = module.weight.shape
            down = torch.randn(LORA_RANK, into, *kernel, generator=dice) * 0.02
            pairs[network, layer] = Pair(down, torch.randn(out, LORA_RANK, *(1 for _ in kernel), generator=dice) * 0.02)
    return Lora(sha256, pairs, sum(pair.down.nbytes + pair.up.nbytes for pair in pairs.values()))
