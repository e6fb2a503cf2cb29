"""A finished job -> the body of an answer, or the events of a stream."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from api.dialects.openai.fields import Wanted
from darkroom.contract.job import Artifact, Job
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.start import FromMask

Operation = Literal["image_generation", "image_edit"]


@dataclass(frozen=True)
class Tokens:
    """Of the words that a picture was made from, by the model's own tokenizer, without those that begin and end a text.

    There are no others: a picture costs none here, since nothing predicts it token by token.
    """

    text: int = 0

    @property
    def usage(self) -> dict[str, Any]:
        return {
            "input_tokens": self.text,
            "input_tokens_details": {"text_tokens": self.text, "image_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"text_tokens": 0, "image_tokens": 0},
            "total_tokens": self.text,
        }


def json_of(told: Mapping[str, Any]) -> bytes:
    """With pictures in it, megabytes: CPU work."""
    return json.dumps(told, separators=(",", ":")).encode()


def made_plan(job: Job) -> GenerationPlan:
    """As it was made: the worker may have had something to remark."""
    return job.receipt.plan if job.receipt else job.generation


def answer(job: Job, pictures: Sequence[Mapping[str, str]], wanted: Wanted, tokens: Tokens) -> dict[str, Any]:
    """`pictures`: `b64_json` or `url` of each, in order. `darkroom` leads to the generation and makes it again."""
    plan = made_plan(job)
    told = {
        "created": int(job.finished_at or job.created_at),
        "background": "opaque",
        "output_format": plan.output_format,
        "size": size_of(sorted(job.artifacts, key=lambda each: each.index)[0]),
        "data": list(pictures),
        "usage": tokens.usage,
        "darkroom": {
            "id": job.id,
            "model": plan.model,
            "seeds": list(plan.seeds),
            "warnings": [notice.model_dump() for notice in plan.warnings],
        },
    }
    return told if wanted.quality is None else {**told, "quality": wanted.quality}


def size_of(artifact: Artifact) -> str:
    return f"{artifact.width}x{artifact.height}"


def completed(
    operation: Operation, job: Job, artifact: Artifact, b64: str, wanted: Wanted, tokens: Tokens
) -> dict[str, Any]:
    """The event of one finished picture."""
    at = int(job.finished_at or job.created_at)
    return {
        **_event(f"{operation}.completed", b64, at, made_plan(job), wanted),
        "size": size_of(artifact),
        "usage": tokens.usage,
    }


def partial(
    operation: Operation, plan: GenerationPlan, b64: str, at: int, number: int, wanted: Wanted
) -> dict[str, Any]:
    """The event of what a picture looks like so far, the `number`-th of it."""
    width, height = shown_size(plan)
    return {
        **_event(f"{operation}.partial_image", b64, at, plan, wanted),
        "size": f"{width}x{height}",
        "partial_image_index": number,
    }


def shown_size(plan: GenerationPlan) -> tuple[int, int]:
    """(width, height) of what comes out; or of the part that is made anew, where that alone is looked at."""
    start = plan.start
    whole = isinstance(start, FromMask) and (start.seen.width, start.seen.height) == (
        start.image.width,
        start.image.height,
    )
    return (start.image.width, start.image.height) if isinstance(start, FromMask) and whole else plan.final_size


def _event(kind: str, b64: str, at: int, plan: GenerationPlan, wanted: Wanted) -> dict[str, Any]:
    return {
        "type": kind,
        "b64_json": b64,
        "created_at": at,
        "background": "opaque",
        "output_format": plan.output_format,
        "quality": wanted.quality or "auto",
    }
