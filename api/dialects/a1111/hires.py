"""`enable_hr` and the fields beside it -> a second denoising of the enlarged picture."""

from typing import Any

from api.dialects.a1111.asking import Asking
from api.dialects.a1111.neutral import NO_EFFECT, OF_HIRES
from api.dialects.a1111.typed import Body, flag_of, number_of, text_of, whole_of
from darkroom.contract.generation import MAX_SIDE
from darkroom.contract.stage import Upscaler
from darkroom.errors import InvalidField

STRENGTH = 0.75
_UPSCALERS: dict[str, Upscaler] = {"latent": "latent", "lanczos": "lanczos"}


def hires(asking: Asking) -> dict[str, Any] | None:
    """None without `enable_hr`: whatever else is said then says nothing. Raises: InvalidField."""
    body = asking.body
    if not flag_of(body, "enable_hr"):
        return None
    same = {name: (text_of(body, name.removeprefix("hr_")),) for name in ("hr_prompt", "hr_negative_prompt")}
    asking.remarks.ignore(body, {**OF_HIRES, **same}, NO_EFFECT)
    scale = _scale(asking)
    if scale == 1:
        asking.remarks.note("hr_scale", "of 1 enlarges nothing: no second pass was made")
        return None
    return {
        "scale": scale,
        "strength": number_of(body, "denoising_strength", STRENGTH),
        "steps": whole_of(body, "hr_second_pass_steps", 0),
        "upscaler": _upscaler(asking),
    }


def _scale(asking: Asking) -> float:
    """A1111 enlarges to `hr_resize_x` x `hr_resize_y` if there is one of them, and cuts what is too much."""
    body, spec = asking.body, asking.spec
    wide, high = _side(body, "hr_resize_x"), _side(body, "hr_resize_y")
    if wide <= 0 and high <= 0:
        return number_of(body, "hr_scale", 2.0)
    scales = (
        wide / max(1, whole_of(body, "width", spec.native_width)),
        high / max(1, whole_of(body, "height", spec.native_height)),
    )
    if min(scales) > 0 and scales[0] != scales[1]:
        asking.remarks.note("hr_resize_y", "is not of the picture's shape: nothing was cut")
    return max(scales)


def _side(body: Body, field: str) -> int:
    """0 or less is none. Bounded here, since whole numbers of JSON may be larger than what can be divided."""
    side = whole_of(body, field, 0)
    if side > MAX_SIDE:
        raise InvalidField(field, f"must be at most {MAX_SIDE}")
    return side


def _upscaler(asking: Asking) -> Upscaler:
    named = text_of(asking.body, "hr_upscaler", "Latent").strip().lower()
    if found := _UPSCALERS.get(named):
        return found
    used: Upscaler = "latent" if named.startswith("latent") else "lanczos"
    asking.remarks.note("hr_upscaler", f"is not here: {used} was taken")
    return used
