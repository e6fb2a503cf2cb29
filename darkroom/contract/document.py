"""A generation as callers see it: what the API answers, and what receivers of webhooks are told.

Storage keys and tenants stay inside.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from darkroom.contract.job import Artifact, Failure, Job, JobState, LostAttempt, Progress, Receipt
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.safety import SafetyVerdict


class Resource(BaseModel):
    model_config = ConfigDict(frozen=True)


class Image(Resource):
    """One finished picture. `url` is good until the generation's `expires_at`, and signs anew on each GET."""

    url: str
    sha256: str
    bytes: int
    width: int
    height: int
    seed: int
    media_type: str
    quality: int | None = Field(description="of a JPEG or WebP, as it was encoded")
    watermark_id: str = Field(description="12 hex digits, hidden in the pixels")
    manifest_id: str = Field(description="label of the C2PA manifest inside the file")
    weak_mark: bool = Field(description="the watermark may not survive compression, resizing or cropping")
    parents: list[str] = Field(description="the `watermark_id`s that were found in the pictures it was made from")
    safety: SafetyVerdict | None = Field(default=None, description="what was found in it; null where nobody looked")


class Links(Resource):
    self: str
    events: str


class ReceiptShown(Resource):
    """Beside `plan`, what is needed to make the pictures again, and what they cost."""

    versions: dict[str, str]
    device: str
    device_seconds: float


class LostAttemptShown(Resource):
    """An attempt that no worker ended: its process died, or it fell silent."""

    attempt: int
    ended: str = Field(description="how, in words")
    killed: bool = Field(description="a worker's process died with it")
    at: datetime


class Place(Resource):
    """Where a queued generation stands. All seconds are estimates."""

    position: int | None = Field(
        description="how many of your own generations with this model and priority go first; null for one that is tried"
        " again only later. Callers take turns by what they use"
    )
    ahead_seconds: float = Field(description="device seconds of all that is expected to go first, others' included")
    workers: int = Field(description="that serve its model now; with none, nobody knows when it begins")


class Generation(Resource):
    """One generation: what was asked, where it stands, what came of it."""

    id: str
    state: JobState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: Annotated[datetime | None, Field(description="the record and the pictures are kept until then")]
    progress: Progress | None
    queue: Annotated[Place | None, Field(description="its place in line, while queued")]
    eta: Annotated[datetime | None, Field(description="when it is expected to have ended; null where that is unknown")]
    plan: Annotated[
        GenerationPlan,
        Field(description="the request with everything settled; of what has succeeded, as it was made"),
    ]
    images: list[Image]
    receipt: ReceiptShown | None
    failure: Failure | None
    lost_attempts: list[LostAttemptShown]
    warnings: list[Notice]
    safety: Annotated[
        list[SafetyVerdict],
        Field(description="what was found in its words and pictures; of one that was blocked, why"),
    ] = []
    links: Links


def generation_of(
    job: Job, base: str, *, kept_for: int, queue: Place | None = None, eta: float | None = None
) -> Generation:
    """The document of a job. `base` is where this service is reached, `kept_for` the seconds its record lives on.

    `eta` is in Unix seconds.

    Raises: TypeError for a job that is no generation.
    """
    here = f"{base}/api/v1/generations/{job.id}"
    plan = job.receipt.plan if job.receipt else job.generation  # the worker may have had something to add
    return Generation(
        id=job.id,
        state=job.state,
        created_at=_moment(job.created_at),
        started_at=_maybe(job.started_at),
        finished_at=_maybe(job.finished_at),
        expires_at=None if job.finished_at is None else _moment(job.finished_at + kept_for),
        progress=job.progress,
        queue=queue,
        eta=_maybe(eta),
        plan=plan,
        images=[_image(artifact, here) for artifact in job.artifacts],
        receipt=_receipt(job.receipt) if job.receipt else None,
        failure=job.failure,
        lost_attempts=[_lost(lost) for lost in job.lost_attempts],
        warnings=list(plan.warnings),
        safety=list(job.receipt.safety if job.receipt else plan.safety.verdicts),
        links=Links(self=here, events=f"{here}/events"),
    )


def _image(artifact: Artifact, here: str) -> Image:
    return Image(url=f"{here}/images/{artifact.index}", **artifact.model_dump(exclude={"index", "key"}))


def _lost(lost: LostAttempt) -> LostAttemptShown:
    return LostAttemptShown(attempt=lost.attempt, ended=lost.ended, killed=lost.killed, at=_moment(lost.at))


def _receipt(receipt: Receipt) -> ReceiptShown:
    return ReceiptShown(**receipt.model_dump(exclude={"plan", "safety"}))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else _moment(seconds)
