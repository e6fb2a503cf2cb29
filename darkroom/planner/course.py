"""The first denoising, as far as later stages and the prediction of its cost must know it."""

from collections.abc import Iterable
from dataclasses import dataclass

from darkroom.catalog import Catalog
from darkroom.catalog.schedulers import passes
from darkroom.contract.model import ModelSpec
from darkroom.contract.stage import Hires, LaterStage
from darkroom.planner.sizes import Size


@dataclass(frozen=True)
class Course:
    """The last `computed` of `steps` steps are made."""

    scheduler: str
    steps: int
    computed: int
    size: Size


def base_steps(course: Course, switch_at: float) -> int:
    """About how many of the computed steps a base makes; exactly where noise levels are evenly spaced."""
    passed_over = course.steps - course.computed
    return round(course.steps * switch_at) - passed_over


def seconds(course: Course, stages: Iterable[LaterStage], spec: ModelSpec, catalog: Catalog) -> float:
    """Device seconds of one guided picture, over all stages."""
    total = _seconds(spec, course.scheduler, course.computed, course.size)
    for stage in stages:
        if isinstance(stage, Hires):
            total += _seconds(spec, course.scheduler, stage.computed_steps, (stage.width, stage.height))
        else:
            steps = course.computed - base_steps(course, stage.switch_at)
            refiner = catalog.spec(stage.model)
            total += _seconds(refiner, course.scheduler, steps, course.size)
            total -= _seconds(spec, course.scheduler, steps, course.size)
    return total


def _seconds(spec: ModelSpec, scheduler: str, steps: int, size: Size) -> float:
    pixels = size[0] * size[1] / (spec.native_width * spec.native_height)
    return passes(scheduler, steps) * pixels * spec.seconds_per_step
