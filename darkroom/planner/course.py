"""The denoising of a plan, as far as its later stages, its controls and the prediction of its cost must know it."""

from collections.abc import Iterable
from dataclasses import dataclass

from darkroom.catalog import Catalog
from darkroom.catalog.schedulers import evenly_spaced, passes
from darkroom.contract.controlnet import PlannedControl
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


@dataclass(frozen=True)
class Run:
    """The passes of one model at one size: about `passes` of a stage of `of`, and never more than `at_most`."""

    spec: ModelSpec
    size: Size
    passes: int
    at_most: int
    of: int

    @property
    def seconds(self) -> float:
        """Device seconds of one guided picture."""
        return self.passes * self._seconds_per_pass

    def steered_seconds(self, control: PlannedControl) -> float:
        """Of `seconds`, those of the passes in which `control` counts."""
        return sum(control.counts(index, self.of) for index in range(self.passes)) * self._seconds_per_pass

    @property
    def _seconds_per_pass(self) -> float:
        pixels = self.size[0] * self.size[1] / (self.spec.native_width * self.spec.native_height)
        return pixels * self.spec.seconds_per_step


def runs(course: Course, stages: Iterable[LaterStage], spec: ModelSpec, catalog: Catalog) -> list[Run]:
    """All stages of a plan, in order; those of `spec` are the ones that ControlNets steer."""
    of = passes(course.scheduler, course.computed)
    made = [Run(spec, course.size, of, of, of)]
    for stage in stages:
        if isinstance(stage, Hires):
            again = passes(course.scheduler, stage.computed_steps)
            made.append(Run(spec, (stage.width, stage.height), again, again, again))
        else:
            base, most = _base_passes(course, stage.switch_at, of)
            left = of - base
            made[-1] = Run(spec, course.size, base, most, of)
            made.append(Run(catalog.spec(stage.model), course.size, left, left, of))
    return made


def _base_passes(course: Course, switch_at: float, of: int) -> tuple[int, int]:
    """How many passes a refiner leaves to its base: about, and at most. Each makes one at least.

    Which they are only the noise levels tell, and those the engine alone knows. Where they are evenly spaced the guess
    is right to a pass; else it may be far off.
    """
    about = round(course.steps * switch_at) - (course.steps - course.computed)
    most = about + 1 if evenly_spaced(course.scheduler) else of
    return min(max(about, 1), of - 1), min(max(most, 1), of - 1)
