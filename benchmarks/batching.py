"""What sharing forward passes is worth: `python -m benchmarks.batching [--jobs N] [--max-rows N]`.

The same jobs, which differ in steps, scheduler and guidance, go through one engine on one thread three times: one at a
time, all that fit together, and the same again with four LoRAs dealt out among them. Seconds are CPU seconds and the
ways alternate, so that other load on the machine is unfair to none. The last line is the figures as JSON.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Sequence
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from darkroom.catalog import SCHEDULERS, embedded_model_folder
from darkroom.contract.plan import GenerationPlan, Notice, PlannedLora
from darkroom.errors import DarkroomError
from worker.engine import Engine, Work
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder
from worker.models.lora import Lora, Pair
from worker.models.lora_cache import LoraCache

JOBS = 24
MAX_ROWS = 16
ROUNDS = 3
STEPS = (10, 15, 20, 30)
GUIDANCE_SCALES = (1.0, 4.0, 7.0)  # a third of the jobs need one row, the others two
PROMPTS = ("a red circle", "a green square", "two blue triangles", "a yellow star on a black background")

LORAS, LORA_RANK = 4, 8
# The layers of the LoRA that ships: attention, and the convolutions of the finest block.
LORA_LAYERS = re.compile(r".*_to_(q|k|v|out_0)|up_blocks_2_resnets_._conv[12]")


class Tally:
    """A listener that counts, and stops the benchmark when anything fails."""

    def __init__(self) -> None:
        self.images = 0

    def on_notice(self, work: Work, notice: Notice) -> None:
        pass

    def on_step(self, work: Work, step: int, steps: int) -> None:
        pass

    def on_image(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        self.images += 1

    def on_finished(self, work: Work, device_seconds: float) -> None:
        pass

    def on_failed(self, work: Work, error: DarkroomError) -> None:
        raise error

    def on_canceled(self, work: Work) -> None:
        raise AssertionError("nobody cancels here")


def make_plans(checkpoint: Checkpoint, count: int) -> list[GenerationPlan]:
    """`count` plans at the model's native size, the same on every run."""
    spec, dice = checkpoint.spec, random.Random(0)
    return [
        GenerationPlan(
            task="text_to_image",
            model=spec.name,
            weights=spec.weights,
            prompt=dice.choice(PROMPTS),
            negative_prompt="",
            clip_skip=0,
            width=spec.native_width,
            height=spec.native_height,
            steps=dice.choice(STEPS),
            guidance_scale=GUIDANCE_SCALES[index % len(GUIDANCE_SCALES)],
            scheduler=SCHEDULERS[index % len(SCHEDULERS)],
            seeds=(index,),
            loras=(),
            embeddings=(),
            output_format="png",
            output_compression=90,
            deterministic=False,
            priority="interactive",
            deadline_at=None,
            predicted_seconds=1.0,
            warnings=(),
            metadata={},
        )
        for index in range(count)
    ]


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


def with_loras(plans: Sequence[GenerationPlan]) -> list[GenerationPlan]:
    """The same plans, each with one of `LORAS` LoRAs."""
    dealt = [PlannedLora(model=f"lora{index}", sha256=str(index), weight=1.0) for index in range(LORAS)]
    return [plan.model_copy(update={"loras": (dealt[index % LORAS],)}) for index, plan in enumerate(plans)]


def throughput(checkpoint: Checkpoint, plans: Sequence[GenerationPlan], max_rows: int, at_once: int) -> float:
    """Images per CPU second with at most `at_once` jobs in the engine, and no more than it has room for."""
    tally = Tally()
    loras = LoraCache(lambda wanted: random_lora(checkpoint, wanted.sha256), checkpoint.bytes)
    models = ModelCache(lambda name: checkpoint, lambda name: 1, checkpoint.bytes)
    engine = Engine(models, tally, max_rows, loras=loras)
    waiting = [Work(f"job{index}", 1, plan) for index, plan in enumerate(plans)]
    began = time.process_time()
    while tally.images < len(plans):
        while waiting and engine.room() and len(engine.in_flight()) < at_once:
            engine.admit(waiting.pop(0))
        engine.step()
    seconds = time.process_time() - began
    engine.close()
    return len(plans) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--max-rows", type=int, default=MAX_ROWS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = load_folder("tiny", embedded_model_folder(), torch.device("cpu"), torch.float32)
    plans = make_plans(checkpoint, options.jobs)
    throughput(checkpoint, plans[:4], options.max_rows, at_once=4)  # warm up
    alone, together, styled = [], [], []
    for _ in range(ROUNDS):
        alone.append(throughput(checkpoint, plans, options.max_rows, at_once=1))
        together.append(throughput(checkpoint, plans, options.max_rows, at_once=len(plans)))
        styled.append(throughput(checkpoint, with_loras(plans), options.max_rows, at_once=len(plans)))
        ways = {"one by one": alone, "together": together, "with four LoRAs": styled}
        print("   ".join(f"{way} {found[-1]:6.2f}" for way, found in ways.items()), "images/CPU s", flush=True)
    figures = {
        "images_per_cpu_second_alone": round(median(alone), 3),
        "images_per_cpu_second_together": round(median(together), 3),
        "gain": round(median(both / one for one, both in zip(alone, together, strict=True)), 3),
        "four_loras_vs_none": round(median(four / none for four, none in zip(styled, together, strict=True)), 3),
        "max_rows": options.max_rows,
    }
    print(json.dumps({"benchmark": "batching", "figures": figures}))


if __name__ == "__main__":
    main()
