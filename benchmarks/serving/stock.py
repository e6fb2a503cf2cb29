"""The rivals: diffusers' own pipeline, one request at a time, or all that agree in everything together."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from benchmarks.serving.clock import Clock
from darkroom.contract.plan import GenerationPlan
from worker.engine.schedulers import make_scheduler

ROWS_PER_IMAGE = 2  # every request has guidance


class Stock:
    """The pipeline as anyone would use it, with the scheduler that a request names."""

    def __init__(self, folder: Path) -> None:
        self._pipeline = StableDiffusionPipeline.from_pretrained(folder)
        self._pipeline.set_progress_bar_config(disable=True)
        self._config = dict(self._pipeline.scheduler.config)

    def draw(self, clock: Clock, plans: Sequence[GenerationPlan]) -> None:
        """One call for all `plans`, which must agree in steps, scheduler, guidance and size."""
        first = plans[0]
        # Made before the clock runs: a service would keep one of each.
        self._pipeline.scheduler = make_scheduler(first.scheduler, self._config, first.steps)
        asked: dict[str, Any] = {
            "prompt": [plan.prompt for plan in plans],
            "negative_prompt": [plan.negative_prompt for plan in plans],
            "width": first.width,
            "height": first.height,
            "num_inference_steps": first.steps,
            "guidance_scale": first.guidance_scale,
            "generator": [torch.Generator().manual_seed(plan.seeds[0]) for plan in plans],
            "output_type": "np",
        }
        with clock.working():
            self._pipeline(**asked)


def seconds_alone(stock: Stock, plans: Sequence[GenerationPlan], rounds: int = 1) -> list[float]:
    """CPU seconds of each request by itself: the mean of `rounds` measurements of its kind.

    Alone, what a request takes depends on its steps, scheduler and guidance and on nothing else, so it is measured once
    a kind and round, on the first `rounds` requests of the kind, or the only ones.
    """
    kinds: dict[tuple[int, str, float], list[GenerationPlan]] = {}
    for plan in plans:
        kinds.setdefault(_key(plan), []).append(plan)
    spent: dict[tuple[int, str, float], Clock] = {kind: Clock() for kind in kinds}
    for turn in range(rounds):
        for kind, alike in kinds.items():
            stock.draw(spent[kind], [alike[turn % len(alike)]])
    return [spent[_key(plan)].busy / rounds for plan in plans]


def one_by_one(seconds: Sequence[float], arrivals: Sequence[float]) -> list[float]:
    """Latencies at batch 1, first come first served, where each request takes its `seconds` whoever else is there."""
    free, latencies = 0.0, []
    for arrival, service in zip(arrivals, seconds, strict=True):
        free = max(free, arrival) + service
        latencies.append(free - arrival)
    return latencies


def in_static_batches(
    stock: Stock, plans: Sequence[GenerationPlan], arrivals: Sequence[float], max_rows: int
) -> list[float]:
    """Latencies of a micro-batcher: the oldest, and all that wait and agree with it, run together to their end.

    It waits for nobody: lingering for partners was never worth it.
    """
    clock, latencies = Clock(), [0.0] * len(plans)
    upcoming, waiting = deque(range(len(plans))), deque[int]()
    while upcoming or waiting:
        if not waiting:
            clock.jump(arrivals[upcoming[0]])
        while upcoming and arrivals[upcoming[0]] <= clock.now:
            waiting.append(upcoming.popleft())
        alike = [index for index in waiting if _key(plans[index]) == _key(plans[waiting[0]])]
        batch = alike[: max_rows // ROWS_PER_IMAGE]
        stock.draw(clock, [plans[index] for index in batch])
        for index in batch:
            waiting.remove(index)
            latencies[index] = clock.now - arrivals[index]
    return latencies


def _key(plan: GenerationPlan) -> tuple[int, str, float]:
    return plan.steps, plan.scheduler, plan.guidance_scale
