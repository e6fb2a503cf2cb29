"""What sharing forward passes is worth: `python -m benchmarks.batching [--jobs N] [--max-rows N]`.

The same jobs, which differ in steps, scheduler and guidance, go through one engine on one thread twice: one at a time,
and all that fit together. Seconds are CPU seconds and both ways alternate, so that other load on the machine is
unfair to neither. The last line is the figures as JSON.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from darkroom.catalog import SCHEDULERS, embedded_model_folder
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.errors import DarkroomError
from worker.engine import Engine, Work
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder

JOBS = 24
MAX_ROWS = 16
ROUNDS = 3
STEPS = (10, 15, 20, 30)
GUIDANCE_SCALES = (1.0, 4.0, 7.0)  # a third of the jobs need one row, the others two
PROMPTS = ("a red circle", "a green square", "two blue triangles", "a yellow star on a black background")


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


def throughput(checkpoint: Checkpoint, plans: Sequence[GenerationPlan], max_rows: int, at_once: int) -> float:
    """Images per CPU second with at most `at_once` jobs in the engine, and no more than it has room for."""
    tally = Tally()
    engine = Engine(ModelCache(lambda name: checkpoint, lambda name: 1, checkpoint.bytes), tally, max_rows)
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
    alone, together = [], []
    for _ in range(ROUNDS):
        alone.append(throughput(checkpoint, plans, options.max_rows, at_once=1))
        together.append(throughput(checkpoint, plans, options.max_rows, at_once=len(plans)))
        print(f"one by one {alone[-1]:6.2f} images/CPU s   together {together[-1]:6.2f} images/CPU s", flush=True)
    figures = {
        "images_per_cpu_second_alone": round(median(alone), 3),
        "images_per_cpu_second_together": round(median(together), 3),
        "gain": round(median(both / one for one, both in zip(alone, together, strict=True)), 3),
        "max_rows": options.max_rows,
    }
    print(json.dumps({"benchmark": "batching", "figures": figures}))


if __name__ == "__main__":
    main()
