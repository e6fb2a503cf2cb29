"""Where the latents of each task begin, and how large they are."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.catalog.checkpoint import MIN_SIDE
from darkroom.contract.generation import Expand, GenerationRequest, ImageToImage, Inpaint, Outpaint, TextToImage
from darkroom.contract.inputs import Inputs, MaskedPicture, OnePicture
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import Notice
from darkroom.contract.start import Box, FromImage, FromInside, FromMask, FromNoise, PictureRef, Start
from darkroom.errors import InvalidField
from darkroom.planner.seen import seen_part
from darkroom.planner.sizes import Size, asked_size, check_limits, fitting_size, nearest


@dataclass(frozen=True)
class Beginning:
    """`size` is what is denoised."""

    size: Size
    start: Start
    notices: tuple[Notice, ...] = ()


def beginning(request: GenerationRequest, inputs: Inputs, spec: ModelSpec, steps: int) -> Beginning:
    """Settle size and start of a request of any task. Raises: InvalidField naming the field.

    `inputs` are the request's own: TypeError for those of another task.
    """
    if request.task not in spec.tasks:
        raise InvalidField("model", f"{spec.name} is made for {' and '.join(spec.tasks)} alone")
    if isinstance(request, TextToImage):
        native = spec.native_width, spec.native_height
        return Beginning(asked_size(request.width, request.height, native, spec), FromNoise())
    match request, inputs:
        case ImageToImage(), OnePicture():
            return _from_image(request, inputs.image, spec, steps)
        case Inpaint(), MaskedPicture():
            return _from_mask(request, inputs, spec, steps)
        case Outpaint(), OnePicture():
            return _from_inside(request, inputs.image, spec, steps)
    raise TypeError(f"{request.task} was planned without its pictures")


def _from_image(request: ImageToImage, image: PictureRef, spec: ModelSpec, steps: int) -> Beginning:
    size = _size_for(request, image, spec)
    start = FromImage(image=image, strength=request.strength, steps=strong_steps("strength", steps, request.strength))
    return Beginning(size, start, tuple(_scaled("image", (image.width, image.height), size)))


def _from_mask(request: Inpaint, inputs: MaskedPicture, spec: ModelSpec, steps: int) -> Beginning:
    image = inputs.image
    if min(image.width, image.height) < MIN_SIDE:
        raise InvalidField(
            "image", f"a side of {min(image.width, image.height)} pixels is too short: {MIN_SIDE} needed"
        )
    whole = Box(left=0, top=0, width=image.width, height=image.height)
    if request.only_masked:
        size = asked_size(request.width, request.height, (spec.native_width, spec.native_height), spec)
        seen = seen_part(inputs.masked, request.mask_padding, size, whole)
    else:
        size, seen = _size_for(request, image, spec), whole
    start = FromMask(
        image=image,
        mask=inputs.mask,
        strength=request.strength,
        steps=strong_steps("strength", steps, request.strength),
        masked_content=request.masked_content,
        feather=request.mask_blur,
        seen=seen,
    )
    notices = [] if request.only_masked else _repainted_at(whole, size)
    return Beginning(size, start, (*notices, *_without_effect(request)))


def _from_inside(request: Outpaint, image: PictureRef, spec: ModelSpec, steps: int) -> Beginning:
    """The picture inside is never scaled: it is the new margins that grow until the whole is on the grid."""
    grown = _on_the_grid(request.expand, image, spec.size_multiple)
    size = image.width + grown.left + grown.right, image.height + grown.top + grown.bottom
    check_limits("expand", size, spec)
    start = FromInside(
        image=image,
        left=grown.left,
        top=grown.top,
        strength=request.strength,
        steps=strong_steps("strength", steps, request.strength),
        masked_content=request.masked_content,
        feather=request.mask_blur,
    )
    return Beginning(size, start, (*_grown(request.expand, grown), *_without_effect(request)))


def _size_for(request: ImageToImage | Inpaint, image: PictureRef, spec: ModelSpec) -> Size:
    """Of the picture, on the grid, unless a size was asked for. A side that was left out keeps the picture's shape."""
    width, height = request.width, request.height
    if width is None and height is None:
        return fitting_size("image", (image.width, image.height), spec)
    scale = width / image.width if width is not None else (height or 0) / image.height
    default = (nearest(image.width * scale, spec.size_multiple), nearest(image.height * scale, spec.size_multiple))
    return asked_size(width, height, default, spec)


def strong_steps(field: str, steps: int, strength: float) -> int:
    """`get_timesteps` of diffusers' pipelines: truncated, so that 100 steps at 0.29 are 28.

    Raises: InvalidField, naming `field`, for none.
    """
    computed = min(int(steps * strength), steps)
    if computed < 1:
        raise InvalidField(field, f"{strength:g} of {steps} steps is less than one step")
    return computed


def _on_the_grid(expand: Expand, image: PictureRef, multiple: int) -> Expand:
    """Round a whole side up, at the end that grows already."""
    wide, high = (
        -(image.width + expand.left + expand.right) % multiple,
        -(image.height + expand.top + expand.bottom) % multiple,
    )
    left = wide if expand.left and not expand.right else 0
    top = high if expand.top and not expand.bottom else 0
    return Expand(
        left=expand.left + left,
        top=expand.top + top,
        right=expand.right + wide - left,
        bottom=expand.bottom + high - top,
    )


def _scaled(field: str, source: Size, size: Size) -> Iterator[Notice]:
    if source != size:
        yield Notice(field=field, reason=f"was scaled from {source[0]}x{source[1]} to {size[0]}x{size[1]}")


def _repainted_at(whole: Box, size: Size) -> list[Notice]:
    if (whole.width, whole.height) == size:
        return []
    reason = f"is {whole.width}x{whole.height}: the masked part was made at {size[0]}x{size[1]}, and scaled back"
    return [Notice(field="image", reason=reason)]


def _grown(asked: Expand, grown: Expand) -> Iterator[Notice]:
    for side in ("left", "top", "right", "bottom"):
        if (pixels := getattr(grown, side)) != getattr(asked, side):
            yield Notice(field=f"expand.{side}", reason=f"became {pixels}, so that the whole is on the model's grid")


def _without_effect(request: Inpaint | Outpaint) -> Iterator[Notice]:
    said = "masked_content" in request.model_fields_set
    if said and request.strength == 1 and request.masked_content != "fill":  # whose colours show in the seam
        yield Notice(field="masked_content", reason="has no effect at strength 1, which begins with noise alone")
    if isinstance(request, Inpaint) and not request.only_masked and "mask_padding" in request.model_fields_set:
        yield Notice(field="mask_padding", reason="has no effect without only_masked")
