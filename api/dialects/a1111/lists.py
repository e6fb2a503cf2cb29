"""What can be named, in A1111's lists. Names of files stand where it has paths."""

from typing import Any

from api.dialects.a1111.titles import SUFFIX, checkpoint_title
from darkroom.catalog import Catalog
from darkroom.contract.embedding import EmbeddingSpec
from darkroom.contract.generation import MAX_CONTROLNETS
from darkroom.contract.model import ModelSpec
from darkroom.infotext.hashes import CHECKPOINT_HASH, weights_sha256
from darkroom.infotext.samplers import SAMPLERS, SPACINGS, Sampler

Item = dict[str, Any]

# Clients look for the second to know that there is ControlNet: webuiapi sends its units only then, and without it sends
# those of the call before once more.
SCRIPTS = ("controlnet", "controlnet m2m")
# What a hires fix enlarges with: pixels, or latents. "None" is what clients take for no upscaler.
UPSCALERS = ("None", "Lanczos")
LATENT_UPSCALE_MODES = ("Latent",)
_RHO = {"karras": 7.0}
_TOLD_ELSEWHERE = "models lie on workers, which tell their memory by /metrics"


def checkpoints(catalog: Catalog) -> list[Item]:
    return [_checkpoint(spec) for spec in catalog.specs()]


def _checkpoint(spec: ModelSpec) -> Item:
    digest = weights_sha256(spec.weights)
    return {
        "title": checkpoint_title(spec),
        "model_name": spec.name,
        "hash": digest[:CHECKPOINT_HASH],
        "sha256": digest,
        "filename": f"{spec.name}{SUFFIX}",
        "config": None,
    }


def samplers() -> list[Item]:
    return [{"name": each.name, "aliases": list(each.aliases), "options": _sampler_options(each)} for each in SAMPLERS]


def _sampler_options(sampler: Sampler) -> dict[str, str]:
    """The scheduler that it has where none is asked for, if that is not the uniform one."""
    named = next(spacing.name for spacing in SPACINGS if spacing.label == sampler.automatic)
    return {} if named == "uniform" else {"scheduler": named}


def schedulers() -> list[Item]:
    return [
        {
            "name": each.name,
            "label": each.label,
            "aliases": list(each.aliases) or None,
            "default_rho": _RHO.get(each.name, -1.0),
            "need_inner_model": False,
        }
        for each in SPACINGS
    ]


def loras(catalog: Catalog) -> list[Item]:
    return [
        {
            "name": spec.name,
            "alias": spec.name,
            "path": f"{spec.name}{SUFFIX}",
            "metadata": {"sshs_model_hash": spec.sha256, "ss_network_dim": str(spec.rank)},
        }
        for spec in catalog.loras.specs()
    ]


def vaes(catalog: Catalog) -> list[Item]:
    return [{"model_name": spec.name, "filename": f"{spec.name}{SUFFIX}"} for spec in catalog.vaes.specs()]


def embeddings(catalog: Catalog, checkpoint: str | None) -> Item:
    """Those that fit the checkpoint of this name are loaded, the others skipped."""
    told: dict[str, dict[str, Item]] = {"loaded": {}, "skipped": {}}
    for spec in catalog.embeddings.specs():
        told["loaded" if checkpoint in spec.models else "skipped"][spec.name] = _embedding(spec)
    return told


def _embedding(spec: EmbeddingSpec) -> Item:
    width, *_ = spec.widths
    return {
        "step": None,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
        "shape": width,
        "vectors": spec.vectors,
    }


def upscalers() -> list[Item]:
    none = {"model_name": None, "model_path": None, "model_url": None}
    return [{"name": name, **none, "scale": 4.0} for name in UPSCALERS]


def latent_upscale_modes() -> list[Item]:
    return [{"name": name} for name in LATENT_UPSCALE_MODES]


def scripts() -> dict[str, list[str]]:
    return {"txt2img": list(SCRIPTS), "img2img": list(SCRIPTS)}


def script_info() -> list[Item]:
    units = [{"label": f"ControlNet Unit {index}", "value": None} for index in range(MAX_CONTROLNETS)]
    return [
        {"name": SCRIPTS[0], "is_alwayson": True, "is_img2img": is_img2img, "args": units}
        for is_img2img in (False, True)
    ]


def cmd_flags() -> Item:
    """Of the switches that A1111 was started with, those that are true of this service."""
    return {"api": True, "nowebui": True, "medvram": False, "lowvram": False}


def memory() -> Item:
    """As A1111 has it where it cannot tell."""
    return {"ram": {"error": _TOLD_ELSEWHERE}, "cuda": {"error": _TOLD_ELSEWHERE}}
