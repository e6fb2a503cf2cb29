"""What follows the first denoising."""

from collections.abc import Iterator

from darkroom.catalog.schedulers import most_steps
from darkroom.contract.generation import GenerationRequest, HiresAsked, TextToImage
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import Notice
from darkroom.contract.stage import Hires, LaterStage
from darkroom.errors import InvalidField
from darkroom.planner.sizes import Size, check_limits, nearest
from darkroom.planner.starts import strong_steps


def later_stages(
    request: GenerationRequest, size: Size, steps: int, scheduler: str, spec: ModelSpec
) -> tuple[LaterStage, ...]:
    """Settle what is done after `steps` steps at `size`. Raises: InvalidField naming the field."""
    if isinstance(request, TextToImage) and request.hires is not None:
        return (_hires(request.hires, size, steps, scheduler, spec),)
    return ()


def stage_notices(request: GenerationRequest, size: Size, stages: tuple[LaterStage, ...]) -> Iterator[Notice]:
    """`size` is that of the first stage."""
    if not isinstance(request, TextToImage) or request.hires is None:
        return
    for stage in stages:
        exact = tuple(side * request.hires.scale for side in size)
        if exact != (stage.width, stage.height):
            reason = f"{exact[0]:g}x{exact[1]:g} became {stage.width}x{stage.height}, which is on the model's grid"
            yield Notice(field="hires.scale", reason=reason)


def _hires(asked: HiresAsked, size: Size, first_steps: int, scheduler: str, spec: ModelSpec) -> Hires:
    width, height = (nearest(side * asked.scale, spec.size_multiple) for side in size)
    if (width, height) == size:
        raise InvalidField(
            "hires.scale", f"{asked.scale:g} leaves {width}x{height} as it is, on the grid of {spec.name}"
        )
    check_limits("hires.scale", (width, height), spec)
    steps = asked.steps or first_steps
    most = most_steps(scheduler)
    if most is not None and steps > most:
        raise InvalidField("hires.steps", f"{scheduler} takes at most {most} steps")
    return Hires(
        width=width,
        height=height,
        upscaler=asked.upscaler,
        strength=asked.strength,
        steps=steps,
        computed_steps=strong_steps("hires.strength", steps, asked.strength),
    )
