"""Which ControlNet each control of a request gets, and whether it has any effect."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from darkroom.catalog import Catalog
from darkroom.contract.controlnet import ControlnetSpec, NamedControlnet, PlannedControl
from darkroom.contract.generation import ControlAsked, GenerationRequest
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import Notice
from darkroom.contract.start import FromInside, FromMask, PictureRef
from darkroom.errors import ControlnetMisfit, InvalidField
from darkroom.planner.course import Run
from darkroom.planner.starts import Beginning

# Of a pass of the U-Net: a ControlNet is a copy of its first half.
COST = 0.4


@dataclass(frozen=True)
class Controls:
    """`seconds` are device seconds that all of them add to one guided picture."""

    planned: tuple[PlannedControl, ...]
    notices: tuple[Notice, ...]
    seconds: float


def controls(
    request: GenerationRequest,
    pictures: tuple[PictureRef, ...],
    spec: ModelSpec,
    catalog: Catalog,
    begins: Beginning,
    runs: Sequence[Run],
) -> Controls:
    """Settle what steers the composition. `pictures` are those of the request's controls.

    Raises: UnknownControlnet, ControlnetMisfit, PreprocessorUnavailable, InvalidField, all naming the field;
        ModelError for a ControlNet that is configured but broken. TypeError for the pictures of another request.
    """
    if len(pictures) != len(request.controlnets):
        raise TypeError(f"{len(request.controlnets)} controls were planned with {len(pictures)} pictures")
    steered = [run for run in runs if run.spec.name == spec.name]
    planned: list[PlannedControl] = []
    notices: list[Notice] = []
    for index, (asked, picture) in enumerate(zip(request.controlnets, pictures, strict=True)):
        field = f"controlnets.{index}"
        control = _planned(field, asked, picture, spec, catalog)
        if reason := _without_effect(control, steered):
            notices.append(Notice(field=f"{field}.{reason[0]}", reason=reason[1]))
        else:
            planned.append(control)
            notices.extend(_stretched(f"{field}.image", picture, begins, spec))
    seconds = sum(run.steered_seconds(control) for run in steered for control in planned)
    return Controls(tuple(planned), tuple(notices), COST * seconds)


def _planned(field: str, asked: ControlAsked, picture: PictureRef, spec: ModelSpec, catalog: Catalog) -> PlannedControl:
    net = _net(field, asked, spec, catalog)
    makes = catalog.preprocessors.spec(asked.type, f"{field}.type").digest if asked.preprocess else ""
    return PlannedControl(
        type=asked.type,
        net=NamedControlnet(name=net.name, sha256=net.sha256),
        image=picture,
        scale=asked.scale,
        start=asked.start,
        end=asked.end,
        preprocess=asked.preprocess,
        preprocessor=makes,
    )


def _net(field: str, asked: ControlAsked, spec: ModelSpec, catalog: Catalog) -> ControlnetSpec:
    if asked.model is not None:
        return _named(field, asked.model, asked, spec, catalog)
    of_type = catalog.controlnets.of_type(asked.type)
    fitting = [net for net in of_type if spec.name in net.models]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(net.name for net in fitting)
        raise InvalidField(
            f"{field}.model", f"several ControlNets of type {asked.type} fit {spec.name}, name one: {names}"
        )
    others = "; ".join(f"{net.name}: {net.misfits[spec.name]}" for net in of_type)
    why = f" ({others})" if others else ""
    raise ControlnetMisfit(f"{field}.type", f"no ControlNet of type {asked.type} fits {spec.name}{why}")


def _named(field: str, name: str, asked: ControlAsked, spec: ModelSpec, catalog: Catalog) -> ControlnetSpec:
    net = catalog.controlnets.spec(name, f"{field}.model")
    if net.type != asked.type:
        raise ControlnetMisfit(f"{field}.model", f"{name!r} is for maps of type {net.type}, not {asked.type}")
    if reason := net.misfits.get(spec.name):
        raise ControlnetMisfit(f"{field}.model", f"{name!r} does not fit {spec.name}: {reason}")
    return net


def _without_effect(control: PlannedControl, steered: Sequence[Run]) -> tuple[str, str] | None:
    """Field and reason."""

    def counts(run: Run, passes: int) -> bool:
        return any(control.counts(index, run.of) for index in range(passes))

    if not control.scale:
        return "scale", "a ControlNet of scale 0 has no effect"
    if not any(counts(run, run.of) for run in steered):
        passes = " or ".join(str(run.of) for run in steered)
        return "end", f"no step of {passes} lies between {control.start:g} and {control.end:g}"
    if not any(counts(run, run.at_most) for run in steered):
        return "start", f"the refiner, which is not steered, has taken over before {control.start:g}"
    return None


def _stretched(field: str, picture: PictureRef, begins: Beginning, spec: ModelSpec) -> Iterator[Notice]:
    """What is made anew in a picture is steered by the same part of the control, which is to have its shape."""
    start = begins.start
    wide, high = (start.image.width, start.image.height) if isinstance(start, FromMask) else begins.size
    if isinstance(start, FromInside) and (picture.width, picture.height) == (start.image.width, start.image.height):
        return  # it lies where the picture does
    off = min(abs(picture.height * wide / picture.width - high), abs(picture.width * high / picture.height - wide))
    if off > spec.size_multiple:  # else it is the grid's doing
        reason = f"is {picture.width}x{picture.height}, and was stretched to the shape of {wide}x{high}"
        yield Notice(field=field, reason=reason)
