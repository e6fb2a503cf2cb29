"""Latents out of lanes, for comparisons finer than a picture's 8 bits."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from darkroom.contract.plan import GenerationPlan
from tests.unit.engine.works import lend
from worker.engine.decode import decode_exactly
from worker.engine.encode import encode
from worker.engine.generation import Generation
from worker.engine.lane import Seat
from worker.engine.lanes import Lanes
from worker.engine.request import Work
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet
from worker.models.lora import Applied, Lora
from worker.pictures.canvas import Canvas


@torch.inference_mode()
def denoise_together(
    checkpoint: Checkpoint,
    plans: Sequence[GenerationPlan | Work],
    *,
    every: int = 0,
    max_rows: int = 16,
    loras: Mapping[str, Lora] = MappingProxyType({}),
    others: Sequence[Checkpoint] = (),
    nets: Sequence[Controlnet] = (),
) -> list[Tensor]:
    """Final latents N C H W of each plan or work, in common lanes; one joins every `every` steps, or all at once.

    `loras` are those that plans name, by hash; `others` the checkpoints of later stages, `nets` the ControlNets.
    """
    lanes = Lanes(max_rows, lambda: None, time.perf_counter)
    works = [plan if isinstance(plan, Work) else Work(f"job{index}", 1, plan) for index, plan in enumerate(plans)]
    waiting = [
        Generation(
            work,
            lend(checkpoint, *others, nets=nets),
            tuple(Applied(loras[lora.sha256], lora.weight) for lora in work.plan.loras),
        )
        for work in works
    ]
    generations = tuple(waiting)
    step = 0
    while waiting or lanes.next() is not None:
        while waiting and (not every or step % every == 0):
            generation = waiting.pop(0)
            go_on(lanes, lanes.arrive(generation), generation.work.canvas)
            if every:
                break
        step += 1
        if lane := lanes.next():
            tick = lane.step()
            assert not tick.failures
            denoised = [seat for seat in tick.seats if seat.sample.denoised]
            lanes.retire(denoised)
            for seat in denoised:
                hand_on(lanes, seat)
    return [torch.cat([sample.latents_1CHW for sample in generation.samples]) for generation in generations]


def hand_on(lanes: Lanes, seat: Seat) -> None:
    """Let an image go on to its next stage if it has one."""
    sample = seat.sample
    if (stage := sample.next_stage) is None:
        return
    if not stage.begins_with_picture:
        sample.begin(stage.after_latents(sample.latents_1CHW))
        lanes.join([seat])
    else:
        go_on(lanes, [seat], stage.after_picture(decode_exactly(sample.stage.checkpoint, sample.latents_1CHW)))


def go_on(lanes: Lanes, seats: Sequence[Seat], canvas: Canvas | Tensor) -> None:
    """Let images of one generation begin their next stage with a canvas."""
    stage = seats[0].sample.next_stage
    assert stage is not None
    encoded = encode(stage.checkpoint, canvas)
    for seat in seats:
        seat.sample.begin(encoded)
    lanes.join(seats)


def denoise_alone(
    checkpoint: Checkpoint,
    plan: GenerationPlan | Work,
    *,
    max_rows: int = 16,
    loras: Mapping[str, Lora] = MappingProxyType({}),
    others: Sequence[Checkpoint] = (),
    nets: Sequence[Controlnet] = (),
) -> Tensor:
    """Final latents N C H W of a plan that has the lane to itself."""
    return denoise_together(checkpoint, [plan], max_rows=max_rows, loras=loras, others=others, nets=nets)[0]


def relative(found: Tensor, expected: Tensor) -> float:
    """Largest difference, relative to the largest value."""
    return float((found - expected).abs().max() / expected.abs().max())
