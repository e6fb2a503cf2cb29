"""Hash and stream fields of Redis, read back as the contract's models."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from darkroom.contract.job import Artifact, Failure, Job, JobEvent, JobState, LostAttempt, Plan, Progress, Receipt
from darkroom.contract.safety import UNGUARDED
from darkroom.contract.webhook import Webhook
from darkroom.ledger.protocol import Claim, JsonObject, Outlook, Workload
from darkroom.log import get_logger

log = get_logger(__name__)

Model = TypeVar("Model", Progress, Receipt, Failure, Webhook)

PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
ARTIFACTS: TypeAdapter[tuple[Artifact, ...]] = TypeAdapter(tuple[Artifact, ...])
LOST: TypeAdapter[tuple[LostAttempt, ...]] = TypeAdapter(tuple[LostAttempt, ...])


def counts_of(fields: Mapping[str, str]) -> dict[str, int]:
    """Numbers by name."""
    return {name: int(count) for name, count in fields.items()}


def pairs(flat: Sequence[str]) -> dict[str, str]:
    """What a script makes of HGETALL: name, value, name, value..."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def dump_json(value: JsonObject) -> str:
    return json.dumps(value, separators=(",", ":"))


# Processes of a version before there was a safety policy read no plan that has one, and must not: where there is none,
# nothing of it is written.


def dump_plan(plan: Plan) -> str:
    return plan.model_dump_json(exclude={"safety"} if plan.safety == UNGUARDED else None)


def dump_receipt(receipt: Receipt) -> str:
    unguarded = receipt.plan.safety == UNGUARDED and not receipt.safety
    return receipt.model_dump_json(exclude={"safety": True, "plan": {"safety": True}} if unguarded else None)


def dump_artifacts(artifacts: tuple[Artifact, ...]) -> str:
    seen = any(artifact.safety for artifact in artifacts)
    return ARTIFACTS.dump_json(artifacts, exclude=None if seen else {"__all__": {"safety"}}).decode()


def read_job(fields: Mapping[str, str]) -> Job:
    """A job from its hash; a field that is absent or empty has no value yet."""
    return Job(
        id=fields["id"],
        tenant=fields["tenant"],
        state=JobState(fields["state"]),
        plan=PLAN.validate_json(fields["plan"]),
        attempt=int(fields["attempt"]) - int(fields["handed_back"]),
        created_at=int(fields["created_at"]) / 1000,
        started_at=_seconds(fields.get("started_at")),
        finished_at=_seconds(fields.get("finished_at")),
        progress=_read(Progress, fields.get("progress")),
        artifacts=ARTIFACTS.validate_json(fields.get("artifacts") or "[]"),
        receipt=_read(Receipt, fields.get("receipt")),
        failure=_read(Failure, fields.get("failure")),
        webhook=_read(Webhook, fields.get("webhook")),
        lost_attempts=LOST.validate_json(fields.get("lost") or "[]"),
    )


def read_claim(row: Sequence[str | int]) -> Claim:
    job_id, tenant, attempt, plan, lease_until, waited, traceparent = row
    return Claim(
        job_id=str(job_id),
        tenant=str(tenant),
        attempt=int(attempt),
        plan=PLAN.validate_json(str(plan)),
        lease_until=int(lease_until) / 1000,
        waited=int(waited) / 1000,
        trace=str(traceparent) or None,
    )


def read_outlook(row: Sequence[int]) -> Outlook:
    """What `scripts/outlook.lua` answers."""
    position, ahead, own, workers, wait = row
    return Outlook(
        position=None if position < 0 else position,
        ahead_seconds=ahead / 1000,
        own_seconds=own / 1000,
        workers=workers,
        wait_seconds=None if wait < 0 else wait / 1000,
    )


def read_claims(rows: Iterable[Sequence[str | int]]) -> list[Claim]:
    """The claims that this version can read. One that it cannot, as of a newer gateway's plan, is nobody's here: its
    lease ends, which counts against no other job, and a newer worker may take it."""
    claims: list[Claim] = []
    for row in rows:
        try:
            claims.append(read_claim(row))
        except ValidationError as error:
            log.error("job.unreadable", job_id=str(row[0]), attempt=int(row[2]), faults=error.error_count())
    return claims


def read_event(job_id: str, event_id: str, fields: Mapping[str, str]) -> JobEvent:
    return JobEvent.model_validate(
        {
            "id": event_id,
            "job_id": job_id,
            "name": fields["name"],
            "at": int(fields["at"]) / 1000,
            "data": json.loads(fields["data"]),
        }
    )


def _seconds(milliseconds: str | None) -> float | None:
    return int(milliseconds) / 1000 if milliseconds else None


def _read(kind: type[Model], text: str | None) -> Model | None:
    return kind.model_validate_json(text) if text else None


def read_workload(row: Sequence[int]) -> Workload:
    """What `scripts/workloads.lua` answers of one model, behind its name."""
    waiting, queued_ms, running_ms, oldest_ms = row
    return Workload(
        waiting=waiting,
        queued_seconds=queued_ms / 1000,
        running_seconds=running_ms / 1000,
        oldest_seconds=oldest_ms / 1000,
    )
