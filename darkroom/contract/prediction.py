"""A generation in the words of Replicate: a prediction, as its API answers it and its webhooks tell it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Literal

from darkroom.contract.job import Job, JobState
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.stage import Refiner
from darkroom.contract.start import FromImage, FromInside, FromMask

OWNER: Final = "darkroom"
PREFIX: Final = "/replicate/v1"
Status = Literal["starting", "processing", "succeeded", "failed", "canceled"]

STATUSES: Final[Mapping[JobState, Status]] = {
    JobState.QUEUED: "starting",
    JobState.RUNNING: "processing",
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELED: "canceled",
    JobState.EXPIRED: "failed",
    JobState.BLOCKED: "failed",
}
_CELLS: Final = 10


def prediction_of(
    job: Job, base: str, output: Sequence[str] | None = None, stream: str | None = None
) -> dict[str, Any]:
    """The document of a job. `base`: where this service is reached. `output`: where its pictures are, by index; at the
    addresses of our own API, which want the caller's key, if None. `stream`: where its events are.

    Raises: TypeError for a job that is no generation.
    """
    plan = job.receipt.plan if job.receipt else job.generation
    here = f"{base}{PREFIX}/predictions/{job.id}"
    shown = _addresses(job, base) if output is None else list(output)
    urls = {"get": here, "cancel": f"{here}/cancel"} | ({"stream": stream} if stream else {})
    return {
        "id": job.id,
        "model": f"{OWNER}/{plan.model}",
        "version": version_of(plan.weights),
        "status": STATUSES[job.state],
        "input": input_of(plan, base),
        "output": shown or None,
        "logs": logs_of(job),
        "error": error_of(job),
        "metrics": _metrics(job),
        "data_removed": False,
        "source": "api",
        "created_at": moment(job.created_at),
        "started_at": _maybe(job.started_at),
        "completed_at": _maybe(job.finished_at),
        "urls": urls,
    }


def version_of(weights: Mapping[str, str]) -> str:
    """A version is what a model's files hold: 64 hex digits."""
    return sha256(json.dumps(dict(weights), sort_keys=True).encode()).hexdigest()


def input_of(plan: GenerationPlan, base: str) -> dict[str, Any]:
    """What was asked for with everything settled, in Replicate's names: enough to ask for the same again."""
    told: dict[str, Any] = {
        "prompt": plan.prompt,
        "negative_prompt": plan.negative_prompt,
        "width": plan.width,
        "height": plan.height,
        "num_outputs": len(plan.seeds),
        "num_inference_steps": plan.steps,
        "guidance_scale": plan.guidance_scale,
        "scheduler": plan.scheduler,
        "seed": plan.seeds[0],
        "output_format": plan.output_format,
    }
    told |= _start(plan, base)
    for stage in plan.later_stages:
        if isinstance(stage, Refiner):
            told |= {"refine": "expert_ensemble_refiner", "high_noise_frac": stage.switch_at}
    return told


def file_url(base: str, sha256: str) -> str:
    """Where an input is, as `files.create` told it."""
    return f"{base}{PREFIX}/files/{sha256}"


def _start(plan: GenerationPlan, base: str) -> dict[str, Any]:
    match plan.start:
        case FromMask() as start:
            pictures = {"image": start.image.sha256, "mask": start.mask.sha256}
        case FromImage() | FromInside() as start:
            pictures = {"image": start.image.sha256}
        case _:
            return {}
    found = {name: file_url(base, digest) for name, digest in pictures.items()}
    return {**found, "prompt_strength": start.strength}


def logs_of(job: Job) -> str:
    """Seeds, and how far it is as tqdm draws it: clients of Replicate read progress off that."""
    seeds = ", ".join(map(str, job.generation.seeds))
    return f"Using seed: {seeds}\n" + (bar(job.progress.step, job.progress.steps) if job.progress else "")


def bar(step: int, steps: int) -> str:
    """` 50%|█████     | 10/20`"""
    done = step * _CELLS // max(1, steps)
    return f"{100 * step // max(1, steps):3d}%|{'█' * done}{' ' * (_CELLS - done)}| {step}/{steps}\n"


def error_of(job: Job) -> str | None:
    """Why there are no pictures."""
    if job.failure is not None:
        return job.failure.message
    return "it had not begun by its deadline" if job.state is JobState.EXPIRED else None


def _addresses(job: Job, base: str) -> list[str]:
    return [f"{base}/api/v1/generations/{job.id}/images/{artifact.index}" for artifact in job.artifacts]


def _metrics(job: Job) -> dict[str, float]:
    """Seconds."""
    if job.started_at is None or job.finished_at is None:
        return {}
    return {
        "predict_time": round(job.finished_at - job.started_at, 3),
        "total_time": round(job.finished_at - job.created_at, 3),
    }


def moment(seconds: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _maybe(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)
