"""What both ways of making pictures have in common: fields of a request of the dialect -> fields of ours."""

from typing import Any

from api.dialects.a1111.asking import OVERRIDES, Asking
from api.dialects.a1111.controlnet_units import controls
from api.dialects.a1111.lora_syntax import prompted
from api.dialects.a1111.neutral import NEUTRAL, NO_EFFECT, ignore_scripts
from api.dialects.a1111.titles import checkpoint_of, vae_of
from api.dialects.a1111.typed import flag_of, number_of, numeral, text_of, whole_of
from darkroom.contract.generation import MOST_IMAGES
from darkroom.errors import InvalidField, UnknownScheduler
from darkroom.errors.near import unknown
from darkroom.infotext.samplers import SAMPLERS, names_of, scheduler_of

CLIP_SKIP = "CLIP_stop_at_last_layers"
_FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}
_NO_SCRIPT = ("", "none")
_RANDOM_SEEDS = (None, -1, "")


def wish(asking: Asking) -> dict[str, Any]:
    """Types that our own contract checks are left to it. Raises: InvalidField, UnknownScheduler, UnknownModel,
    UnknownVae, UnknownControlnet, ModelError, all naming the field of the dialect."""
    body, remarks = asking.body, asking.remarks
    _refuse_script(asking)
    said = prompted(text_of(body, "prompt"), asking.catalog.loras, remarks)
    remarks.ignore(body, NEUTRAL, NO_EFFECT)
    ignore_scripts(body, remarks)
    vae = vae_of(asking.catalog, asking.option("sd_vae"), f"{OVERRIDES}.sd_vae")
    return {
        "prompt": said.text,
        "negative_prompt": text_of(body, "negative_prompt"),
        "model": asking.spec.name,
        "vae": vae.name if vae else None,
        "clip_skip": _clip_skip(asking),
        "steps": numeral(body.get("steps")),
        "guidance_scale": numeral(body.get("cfg_scale")),
        "seed": _seed(asking),
        "n": _images(asking),
        "scheduler": _scheduler(asking),
        "width": numeral(body.get("width")),
        "height": numeral(body.get("height")),
        "loras": [] if flag_of(body, "disable_extra_networks") else said.loras,
        "refiner": _refiner(asking),
        "controlnets": controls(asking),
        "infotext": asking.option("enable_pnginfo"),
        **_output(asking),
    }


def _refuse_script(asking: Asking) -> None:
    """One that is named replaces the whole way of making pictures."""
    if text_of(asking.body, "script_name").strip().lower() not in _NO_SCRIPT:
        raise InvalidField("script_name", "Script not found: scripts are not run here")


def _seed(asking: Asking) -> Any:
    seed = numeral(asking.body.get("seed"))
    return None if seed in _RANDOM_SEEDS and not isinstance(seed, bool) else seed


def _images(asking: Asking) -> int:
    each, times = whole_of(asking.body, "batch_size", 1), whole_of(asking.body, "n_iter", 1)
    if not (each > 0 and times > 0 and each * times <= MOST_IMAGES):
        raise InvalidField("batch_size", f"times n_iter must be from 1 to {MOST_IMAGES}")
    return each * times


def _scheduler(asking: Asking) -> str | None:
    """With a schedule type alone, that of the model's own sampler."""
    named = text_of(asking.body, "sampler_name") or text_of(asking.body, "sampler_index")
    spacing = text_of(asking.body, "scheduler")
    if not named and not spacing:
        return None
    found = scheduler_of(named or names_of(asking.spec.default_scheduler)[0], spacing)
    if found is None:
        raise UnknownScheduler("sampler_name", unknown("sampler", named, [sampler.name for sampler in SAMPLERS]))
    if found.lacking:
        asking.remarks.note("scheduler", "is not to be had with this sampler: its automatic one was taken")
    return found.scheduler


def _clip_skip(asking: Asking) -> int:
    """A1111 counts the last layer as 1. Of XL, both 1 and 2 are what it does by itself."""
    said = whole_of(asking.body, "clip_skip", asking.option(CLIP_SKIP))
    last, most = 2 if asking.spec.is_xl else 1, asking.spec.max_clip_skip
    if not 0 <= said <= most + last:
        raise InvalidField(CLIP_SKIP, f"must be from 1 to {most + last} for {asking.spec.name}")
    return max(0, said - last)


def _refiner(asking: Asking) -> dict[str, Any] | None:
    named = text_of(asking.body, "refiner_checkpoint")
    at = number_of(asking.body, "refiner_switch_at", 0.8)
    if named.strip().lower() in _NO_SCRIPT or at >= 1:
        return None
    return {"model": checkpoint_of(asking.catalog, named, "refiner_checkpoint").name, "switch_at": at}


def _output(asking: Asking) -> dict[str, Any]:
    output_format = _FORMATS[asking.option("samples_format")]
    quality = None if output_format == "png" else asking.option("jpeg_quality")
    return {"output_format": output_format, "output_compression": quality}
