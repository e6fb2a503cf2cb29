"""`POST /sdapi/v1/img2img` -> a request of ours: with a mask, a part of the picture is made anew."""

from typing import Any, TypeVar

from api.dialects.a1111.asking import Asking
from api.dialects.a1111.neutral import NO_EFFECT, OF_IMG2IMG
from api.dialects.a1111.typed import flag_of, list_of, number_of, whole_of
from api.dialects.a1111.wish import wish
from api.dialects.requested import requested
from darkroom.contract.generation import GenerationRequest
from darkroom.contract.start import MaskedContent, ResizeMode
from darkroom.errors import InvalidField, NotFound

STRENGTH = 0.75
MASK_BLUR = 4
# By their numbers there.
MASKED_CONTENT: tuple[MaskedContent, ...] = ("fill", "original", "latent_noise", "latent_nothing")
RESIZE_MODES: tuple[ResizeMode, ...] = ("stretch", "crop", "fill")
LATENT_UPSCALE = 3

Choice = TypeVar("Choice")


def image_to_image(asking: Asking) -> GenerationRequest:
    """Raises: RequestValidationError; NotFound without a picture, as there; as `wish`."""
    body, remarks = asking.body, asking.remarks
    remarks.ignore(body, OF_IMG2IMG, NO_EFFECT)
    fields = {**wish(asking), "image": _image(asking), "strength": number_of(body, "denoising_strength", STRENGTH)}
    if not (mask := _picture(body.get("mask"), "mask")):
        return requested({"task": "image_to_image", **fields, "resize_mode": _resize_mode(asking)})
    return requested({"task": "inpaint", **fields, "mask": mask, **_masked(asking)})


def _masked(asking: Asking) -> dict[str, Any]:
    """Of a picture that is looked at in part nothing else is scaled; one that is looked at as a whole is brought to the
    size that was asked for, mask and all, and that is the size of what comes out."""
    body = asking.body
    only_masked = flag_of(body, "inpaint_full_res", default=True)
    padding = {"mask_padding": whole_of(body, "inpaint_full_res_padding", 0)} if only_masked else {}
    return {
        "mask_invert": flag_of(body, "inpainting_mask_invert"),
        "mask_blur": _mask_blur(asking),
        "masked_content": _nth(MASKED_CONTENT, body, "inpainting_fill"),
        "only_masked": only_masked,
        "resize_mode": None if only_masked else _resize_mode(asking),
        **padding,
    }


def _image(asking: Asking) -> str:
    pictures = [_picture(each, "init_images") for each in list_of(asking.body, "init_images")]
    if not pictures or not pictures[0]:
        raise NotFound("Init image not found")
    if len(pictures) > 1:
        asking.remarks.note("init_images", "holds several pictures: all are made from the first")
    return pictures[0]


def _picture(value: Any, field: str) -> str:
    if value is not None and not isinstance(value, str):
        raise InvalidField(field, "must be a picture in base64")
    return value or ""


def _resize_mode(asking: Asking) -> ResizeMode | None:
    """None where no size was asked for: then the picture's own is taken."""
    body = asking.body
    if whole_of(body, "resize_mode", 0) == LATENT_UPSCALE:
        asking.remarks.note("resize_mode", "latents are not enlarged: the picture was stretched instead")
        mode: ResizeMode = "stretch"
    else:
        mode = _nth(RESIZE_MODES, body, "resize_mode")
    return mode if body.get("width") is not None and body.get("height") is not None else None


def _mask_blur(asking: Asking) -> int:
    """One number, or one for each direction."""
    body = asking.body
    across = whole_of(body, "mask_blur_x", MASK_BLUR)
    down = whole_of(body, "mask_blur_y", MASK_BLUR)
    if body.get("mask_blur") is not None:
        return whole_of(body, "mask_blur", MASK_BLUR)
    if across != down:
        asking.remarks.note("mask_blur_y", "is not mask_blur_x: the larger was taken for both")
    return max(across, down)


def _nth(choices: tuple[Choice, ...], body: Any, field: str) -> Choice:
    number = whole_of(body, field, 0)
    if not 0 <= number < len(choices):
        raise InvalidField(field, f"must be from 0 to {len(choices) - 1}")
    return choices[number]
