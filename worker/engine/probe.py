"""Reads the coefficients of a diffusers scheduler off its own code.

Every scheduler served here is linear in what it is fed. So it is fed unit vectors, one to each latents and each
prediction: its answer then spells out its coefficients. Random vectors, run beside them, prove that
nothing was missed: clipping and thresholding are not linear.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from worker.engine.schedulers import canonical, make_scheduler, step_options
from worker.engine.table import Step, Table, Term

# By scheduler, configuration, steps and beginning; one takes some ten kilobytes.
REMEMBERED_TABLES = 256
# Most steps back a table may reach; three are what the longest of them needs.
MAX_DEPTH = 4
# Numbers in a probe that no unit vector uses: noise alone is seen there.
NOISE_COLUMNS = 64
# Relative error below which a coefficient is rounding: many schedulers compute in float32 inside.
ROUNDING = 2e-7
PROVEN = 1e-5
# Random vectors are this much larger than latents: whatever clips, clips them.
LARGE = 10.0


@dataclass(frozen=True)
class Seen:
    """What one step of a scheduler made of its input; `noise_2W` is what it drew, if it drew."""

    timestep: float
    scale: float
    output_2W: Tensor
    noise_2W: Tensor | None


def table(name: str, config: Mapping[str, Any], steps: int, begin: int = 0) -> Table | None:
    """Scheduler `name` over `steps` steps, from the pass with index `begin` on; None when it is no weighted sum.

    Remembered. Raises: what diffusers raises for numbers of steps that a scheduler does not take.
    """
    return _table(name, canonical(config), steps, begin)


@lru_cache(REMEMBERED_TABLES)
def _table(name: str, config: str, steps: int, begin: int) -> Table | None:
    return _read(make_scheduler(name, json.loads(config), steps), begin)


def _read(scheduler: Any, begin: int) -> Table | None:
    count = len(scheduler.timesteps) - begin
    width = 2 * count + NOISE_COLUMNS
    units_LW = torch.eye(2 * count, width, dtype=torch.float64)
    random_LW = torch.randn(1 + count, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    predictions_L2W = torch.stack([units_LW[count:], LARGE * random_LW[1:]], dim=1)
    seen = list(_feed(scheduler, units_LW[:count], LARGE * random_LW[0], predictions_L2W, begin))
    found = [_step(seen, index) for index in range(count)]
    read = Table(float(scheduler.init_noise_sigma), tuple(step for step in found if step is not None))
    if len(read.steps) < count or not _proven(read, seen, LARGE * random_LW):
        return None
    return read


def _feed(scheduler: Any, units_LW: Tensor, first_W: Tensor, predictions_L2W: Tensor, begin: int) -> Iterator[Seen]:
    """Run the scheduler over two "images": the first has a unit vector for its latents at every step, the second begins
    with `first_W` and goes on with what the scheduler made of it.
    """
    generator = torch.Generator().manual_seed(0)
    options = step_options(scheduler, generator)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    following_W = first_W
    for unit_W, prediction_2W, timestep in zip(units_LW, predictions_L2W, scheduler.timesteps[begin:], strict=True):
        latents_211W = torch.stack([unit_W, following_W])[:, None, None]
        prediction_211W = prediction_2W[:, None, None]
        scale = float(scheduler.scale_model_input(latents_211W, timestep)[0].sum())
        before = generator.get_state()
        output_211W = scheduler.step(prediction_211W, timestep, latents_211W, return_dict=False, **options)[0]
        noise_211W = _drawn(before, generator, latents_211W.shape)
        noise_2W = None if noise_211W is None else noise_211W[:, 0, 0]
        yield Seen(float(timestep), scale, output_211W[:, 0, 0], noise_2W)
        following_W = output_211W[1, 0, 0]


def _drawn(before: Tensor, generator: torch.Generator, shape: torch.Size) -> Tensor | None:
    """The noise drawn since the generator was in state `before`. Some schedulers draw in float32 whatever they get."""
    after = generator.get_state()
    if torch.equal(before, after):
        return None
    for dtype in (torch.float64, torch.float32):
        again = torch.Generator()
        again.set_state(before)
        noise = torch.randn(shape, generator=again, dtype=dtype).double()
        if torch.equal(again.get_state(), after):
            return noise
    raise ValueError("a scheduler drew noise in a way that is not understood")


def _step(seen: list[Seen], index: int) -> Step | None:
    """Row `index` of the table with the least depth that holds; None when there is none."""
    now = seen[index]
    noise, coefficients_W = _without_noise(now)
    for depth in range(MAX_DEPTH + 1):
        old = _columns(len(seen), index - depth)
        rest_W = _through_latents(seen, index, coefficients_W, old)
        for found_W in (coefficients_W, rest_W):
            if bool((found_W[old].abs() <= ROUNDING * coefficients_W.abs().max()).all()):
                return Step(now.timestep, now.scale, tuple(_terms(found_W, index, depth, len(seen))), noise)
    return None


def _through_latents(seen: list[Seen], index: int, coefficients_W: Tensor, old: Tensor) -> Tensor:
    """`coefficients_W` with what they owe to the `old` past moved to the latents of now, as far as it goes.

    Some solvers (UniPC) carry all their past in one hidden value. What the step before gave *is* the latents now, so
    where the two hold the same share of that past, the latents stand for it.
    """
    if not index or seen[index - 1].noise_2W is not None:
        return coefficients_W
    before_W = seen[index - 1].output_2W[0, :-NOISE_COLUMNS]
    share = _share(coefficients_W[old], before_W[old])
    moved_W = coefficients_W - share * before_W
    moved_W[index] += share
    return moved_W


def _without_noise(seen: Seen) -> tuple[float | None, Tensor]:
    """(coefficient of the noise, coefficients of latents and predictions)."""
    output_W = seen.output_2W[0]
    if seen.noise_2W is None:
        return None, output_W[:-NOISE_COLUMNS]
    noise_W = seen.noise_2W[0]
    weight = _share(output_W[-NOISE_COLUMNS:], noise_W[-NOISE_COLUMNS:])
    return weight, (output_W - weight * noise_W)[:-NOISE_COLUMNS]


def _share(of_K: Tensor, by_K: Tensor) -> float:
    """The multiple of `by_K` nearest to `of_K`."""
    norm = float(by_K @ by_K)
    return float(of_K @ by_K) / norm if norm else 0.0


def _columns(count: int, oldest: int) -> Tensor:
    """Which coefficients belong to steps before `oldest`."""
    return (torch.arange(2 * count) % count) < oldest


def _terms(coefficients_W: Tensor, index: int, depth: int, count: int) -> Iterator[Term]:
    for age in range(min(depth, index) + 1):
        for prediction in (False, True):
            weight = float(coefficients_W[index - age + count * prediction])
            if weight:
                yield Term(age, prediction, weight)


def _proven(read: Table, seen: Sequence[Seen], random_LW: Tensor) -> bool:
    """Whether `read` gives what the scheduler gave for the second image."""
    latents = [random_LW[0], *(step.output_2W[1] for step in seen)]
    sources = (latents, list(random_LW[1:]))
    for index, (step, made) in enumerate(zip(read.steps, seen, strict=True)):
        found_W = sum(term.weight * sources[term.prediction][index - term.age] for term in step.terms)
        if made.noise_2W is not None:
            found_W = found_W + (step.noise or 0.0) * made.noise_2W[1]
        expected_W = made.output_2W[1]
        if not float((found_W - expected_W).norm()) <= PROVEN * float(expected_W.norm()):
            return False
    return True
