"""What follows the first denoising."""

import math
from collections.abc import Iterator

from darkroom.catalog import Catalog
from darkroom.catalog.schedulers import most_steps
from darkroom.contract.generation import GenerationRequest, HiresAsked, TextToImage
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import Notice
from darkroom.contract.stage import Hires, LaterStage
from darkroom.errors import InvalidField
from darkroom.planner.course import Course
from darkroom.planner.refiners import refined
from darkroom.planner.sizes import Size, check_limits, nearest
from darkroom.planner.starts import strong_steps

# Pixels: 200 * 1.12 is not quite 224.
ROUNDING = 1e-6


def later_stages(request: GenerationRequest, course: Course, spec: ModelSpec, catalog: Catalog) -> list[LaterStage]:
    """Settle what is done after, or instead of the end of, the first denoising. Raises: InvalidField naming the field;
    UnknownModel, ModelError for the refiner.
    """
    hires = request.hires if isinstance(request, TextToImage) else None
    if request.refiner is not None and hires is not None:
        raise InvalidField("refiner", "cannot be asked for together with hires")
    if request.refiner is not None:
        return [refined(request.refiner, request.clip_skip, course, spec, catalog)]
    return [] if hires is None else [_hires(hires, course, spec)]


def stage_notices(request: GenerationRequest, size: Size, stages: list[LaterStage]) -> Iterator[Notice]:
    """`size` is that of the first stage."""
    if isinstance(request, TextToImage) and request.hires is not None:
        exact = tuple(side * request.hires.scale for side in size)
        for stage in stages:
            if isinstance(stage, Hires) and math.dist(exact, (stage.width, stage.height)) > ROUNDING:
                reason = f"{exact[0]:g}x{exact[1]:g} became {stage.width}x{stage.height}, which is on the model's grid"
                yield Notice(field="hires.scale", reason=reason)
    if request.refiner is not None and any(lora.weight for lora in request.loras):
        yield Notice(field="loras", reason="change the base alone, and not the refiner")
    if request.refiner is not None and request.controlnets:
        yield Notice(field="controlnets", reason="steer the base alone, and not the refiner")


def _hires(asked: HiresAsked, course: Course, spec: ModelSpec) -> Hires:
    width, height = (nearest(side * asked.scale, spec.size_multiple) for side in course.size)
    if (width, height) == course.size:
        raise InvalidField("hires.scale", f"{asked.scale:g} leaves {width}x{height} as it is, on the model's grid")
    check_limits("hires.scale", (width, height), spec)
    steps = asked.steps or course.steps
    most = most_steps(course.scheduler)
    if most is not None and steps > most:
        raise InvalidField("hires.steps", f"{course.scheduler} takes at most {most} steps")
    return Hires(
        width=width,
        height=height,
        upscaler=asked.upscaler,
        strength=asked.strength,
        steps=steps,
        computed_steps=strong_steps("hires.strength", steps, asked.strength),
    )
