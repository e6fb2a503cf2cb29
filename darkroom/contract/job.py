"""One accepted plan and its life. The state machine itself lives in `darkroom.ledger`; these are its words."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from darkroom.contract.base import Settled
from darkroom.contract.plan import MEDIA_TYPES, GenerationPlan
from darkroom.contract.preprocess import PreprocessPlan
from darkroom.contract.safety import SafetyVerdict
from darkroom.contract.webhook import Webhook

Plan = Annotated[GenerationPlan | PreprocessPlan, Field(discriminator="task")]


class JobState(StrEnum):
    """`queued -> running -> succeeded | failed | canceled | expired | blocked`; `running -> queued` on hand-back."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    BLOCKED = "blocked"

    @property
    def terminal(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Artifact(Settled):
    """One stored picture. `watermark_id` is 12 hex digits; `manifest_id` is the C2PA manifest label.

    `quality` is what it was encoded with, which may be more than was asked for; None where there is none.
    `weak_mark`: the watermark reads back from the file, and may not survive what others do to it. `parents` are the
    watermarks that were found in the pictures it was made from.
    `timestamped`: the time of signing is attested; None where no timestamp authority is asked. `safety`: what was found
    in it; None where nobody looked.
    """

    index: int
    key: str
    media_type: str
    bytes: int
    sha256: str
    width: int
    height: int
    seed: int
    watermark_id: str
    manifest_id: str
    quality: int | None = None
    weak_mark: bool = False
    parents: tuple[str, ...] = ()
    timestamped: bool | None = None
    safety: SafetyVerdict | None = None


class Receipt(Settled):
    """How the pictures were made: enough to make them again. `safety`: what was found in all that was looked at."""

    plan: GenerationPlan
    versions: dict[str, str]
    device: str
    device_seconds: float
    safety: tuple[SafetyVerdict, ...] = ()


class Failure(Settled):
    """Why a job has no pictures."""

    code: str
    message: str
    retryable: bool


class LostAttempt(Settled):
    """An attempt that no worker ended: `killed` when its worker's process died with it, or else its lease ran out.

    `ended` says how, in words.
    """

    attempt: int
    worker: str
    ended: str
    killed: bool
    at: float


class Progress(Settled):
    """`step` of `steps`, over all images of the job. `previews`: frames shown so far, over all images, by this attempt:
    one more than before says that there is something new to see."""

    step: int
    steps: int
    previews: int = 0


class Job(Settled):
    """The record of a job. Times are Unix seconds by the ledger's clock; `attempt` counts claims not handed back."""

    id: str
    tenant: str
    state: JobState
    plan: Plan
    attempt: int
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    progress: Progress | None = None
    artifacts: tuple[Artifact, ...] = ()
    receipt: Receipt | None = None
    failure: Failure | None = None
    lost_attempts: tuple[LostAttempt, ...] = ()
    webhook: Webhook | None = None

    @property
    def generation(self) -> GenerationPlan:
        """The plan of a generation. Raises: TypeError for a job that is none."""
        if not isinstance(self.plan, GenerationPlan):
            raise TypeError(f"this job is a {self.plan.task}")
        return self.plan


def picture_key(job_id: str, plan: GenerationPlan, index: int) -> str:
    """Where picture `index` of a job is stored: the same for every attempt, so that only one can be."""
    extension = MEDIA_TYPES[plan.output_format].removeprefix("image/")
    return f"images/{job_id}/{index}.{extension}"


def picture_keys(job_id: str, plan: Plan) -> tuple[str, ...]:
    """Every key at which any attempt at a job may have stored a picture that goes with its record; maps stay."""
    if isinstance(plan, PreprocessPlan):
        return ()
    return tuple(picture_key(job_id, plan, index) for index in range(len(plan.seeds)))


EventName = Literal[
    "queued", "running", "progress", "requeued", "succeeded", "failed", "canceled", "expired", "blocked"
]


class JobEvent(Settled):
    """One line of a job's history. `id` is the Redis stream id, which SSE clients send back as `Last-Event-ID`."""

    id: str
    job_id: str
    name: EventName
    at: float
    data: dict[str, JsonValue]
