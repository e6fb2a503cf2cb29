"""A finished job -> what clients of A1111 read."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import darkroom
from darkroom.contract.job import Job
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import Hires
from darkroom.contract.start import FromNoise
from darkroom.contract.vae import NamedVae
from darkroom.infotext.hashes import CHECKPOINT_HASH, weights_sha256
from darkroom.infotext.samplers import names_of
from darkroom.infotext.writing import clip_offset, infotext, prompt_of


def answer(job: Job, pictures: Sequence[str]) -> dict[str, Any]:
    """`pictures` in base64. `parameters` stays empty: nothing of a request is sent back, which may hold a password."""
    return {"images": list(pictures), "parameters": {}, "info": json.dumps(_info(job), ensure_ascii=False)}


def _info(job: Job) -> dict[str, Any]:
    """`Processed.js` of modules/processing.py."""
    plan = job.receipt.plan if job.receipt else job.generation
    sampler, _ = names_of(plan.scheduler)
    prompt, count = prompt_of(plan), len(plan.seeds)
    return {
        "prompt": prompt,
        "all_prompts": [prompt] * count,
        "negative_prompt": plan.negative_prompt,
        "all_negative_prompts": [plan.negative_prompt] * count,
        "seed": plan.seeds[0],
        "all_seeds": list(plan.seeds),
        "subseed": plan.seeds[0],
        "all_subseeds": list(plan.seeds),
        "subseed_strength": 0,
        "width": plan.width,
        "height": plan.height,
        "sampler_name": sampler,
        "cfg_scale": plan.guidance_scale,
        "steps": plan.steps,
        "batch_size": count,
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": plan.model,
        "sd_model_hash": weights_sha256(plan.weights)[:CHECKPOINT_HASH],
        "sd_vae_name": plan.vae.name if isinstance(plan.vae, NamedVae) else None,
        "sd_vae_hash": plan.vae.sha256[:CHECKPOINT_HASH] if isinstance(plan.vae, NamedVae) else None,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": _strength(plan),
        "extra_generation_params": {},
        "index_of_first_image": 0,
        "infotexts": [infotext(plan, index) for index in range(count)],
        "styles": [],
        "job_timestamp": datetime.fromtimestamp(job.created_at, UTC).strftime("%Y%m%d%H%M%S"),
        "clip_skip": plan.clip_skip + clip_offset(plan),
        "is_using_inpainting_conditioning": False,
        "version": f"darkroom {darkroom.__version__}",
    }


def _strength(plan: GenerationPlan) -> float | None:
    again = [stage.strength for stage in plan.later_stages if isinstance(stage, Hires)]
    if again:
        return again[-1]
    return None if isinstance(plan.start, FromNoise) else plan.start.strength
