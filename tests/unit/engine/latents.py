"""Latents out of lanes, for comparisons finer than a picture's 8 bits."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from tests.unit.engine.works import lend
from worker.engine.encode import encode
from worker.engine.generation import Generation
from worker.engine.lanes import Lanes
from worker.engine.request import Work
from worker.models.checkpoint import Checkpoint
from worker.models.lora import Applied, Lora


@torch.inference_mode()
def denoise_together(
    checkpoint: Checkpoint,
    plans: Sequence[GenerationPlan | Work],
    *,
    every: int = 0,
    max_rows: int = 16,
    loras: Mapping[str, Lora] = MappingProxyType({}),
) -> list[Tensor]:
    """Final latents N C H W of each plan or work, in common lanes; one joins every `every` steps, or all at once.

    `loras` are those that plans name, by hash.
    """
    lanes = Lanes(max_rows, lambda: None, time.perf_counter)
    works = [plan if isinstance(plan, Work) else Work(f"job{index}", 1, plan) for index, plan in enumerate(plans)]
    waiting = [
        Generation(
            work,
            lend(checkpoint),
            encode(checkpoint, work.canvas),
            tuple(Applied(loras[lora.sha256], lora.weight) for lora in work.plan.loras),
        )
        for work in works
    ]
    generations = tuple(waiting)
    step = 0
    while waiting or lanes.next() is not None:
        while waiting and (not every or step % every == 0):
            lanes.seat(waiting.pop(0))
            if every:
                break
        step += 1
        if lane := lanes.next():
            tick = lane.step()
            assert not tick.failures
            lanes.retire([seat for seat in tick.seats if not seat.remaining])
    return [torch.cat([sample.latents_1CHW for sample in generation.samples]) for generation in generations]


def denoise_alone(
    checkpoint: Checkpoint,
    plan: GenerationPlan | Work,
    *,
    max_rows: int = 16,
    loras: Mapping[str, Lora] = MappingProxyType({}),
) -> Tensor:
    """Final latents N C H W of a plan that has the lane to itself."""
    return denoise_together(checkpoint, [plan], max_rows=max_rows, loras=loras)[0]


def relative(found: Tensor, expected: Tensor) -> float:
    """Largest difference, relative to the largest value."""
    return float((found - expected).abs().max() / expected.abs().max())
