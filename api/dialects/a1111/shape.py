"""Errors as A1111 words them: `error` for programs, `detail` for people."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from api.problems import Problem
from darkroom.errors import UnknownScheduler

# What our fields are called in requests of this dialect.
NAMES: Mapping[str, str] = {
    "guidance_scale": "cfg_scale",
    "scheduler": "sampler_name",
    "strength": "denoising_strength",
    "image": "init_images",
    "masked_content": "inpainting_fill",
    "only_masked": "inpaint_full_res",
    "mask_padding": "inpaint_full_res_padding",
    "n": "batch_size",
    "hires": "hr_scale",
    "loras": "prompt",
    "model": "override_settings.sd_model_checkpoint",
    "vae": "override_settings.sd_vae",
    "refiner": "refiner_checkpoint",
    "controlnets": "alwayson_scripts.ControlNet.args",
}
# Objects of ours whose members are fields of their own there.
_MEMBERS: Mapping[str, str] = {
    "hires.strength": "denoising_strength",
    "hires.steps": "hr_second_pass_steps",
    "hires.upscaler": "hr_upscaler",
    "refiner.switch_at": "refiner_switch_at",
}
# And those that have none: what they say stands in the field itself.
_WHOLE = ("hires", "refiner", "loras")
_OF_UNITS: Mapping[str, str] = {
    "scale": "weight",
    "start": "guidance_start",
    "end": "guidance_end",
    "type": "module",
    "preprocess": "module",
}


def shape(described: Problem, headers: Mapping[str, str]) -> Response:
    """Of the many fields that may be wrong, all are told in `errors`."""
    detail, errors = _told(described.field, described.detail), _bare(described.field, described.detail)
    status = described.status
    if described.code == UnknownScheduler.code:
        status, detail = 404, "Sampler not found"
    if described.errors:
        errors = "; ".join(_told(each.field, each.detail) for each in described.errors)
        detail = errors
    body = {"error": described.code, "detail": detail, "body": "", "errors": errors, "code": described.code}
    return JSONResponse(body, status, headers=dict(headers))


def _told(field: str | None, detail: str) -> str:
    """The field in front, in the dialect's words."""
    return f"{name_of(field)}: {_bare(field, detail)}" if field else detail


def _bare(field: str | None, detail: str) -> str:
    """Without the field in front, where it stands in our words."""
    return detail.removeprefix(f"{field}: ")


def name_of(field: str) -> str:
    """What a field of ours is called in requests of the dialect."""
    ours, dot, rest = field.partition(".")
    if member := _MEMBERS.get(field):
        return member
    if ours in _WHOLE:
        return NAMES[ours]
    if ours == "controlnets":
        unit, between, name = rest.partition(".")
        rest = f"{unit}{between}{_OF_UNITS.get(name, name)}"
    return f"{NAMES.get(ours, ours)}{dot}{rest}"
