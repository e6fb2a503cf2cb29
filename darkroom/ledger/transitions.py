"""The state machine of a job, once. `MemoryLedger` walks this table; the Lua scripts get it written into them.

    queued  --claim-->   running
    queued  --expire-->  expired
    running --release--> queued       the worker hands back; the attempt does not count
    running --lose-->    queued       the lease ran out; the attempt counts
    running --exhaust--> failed       the lease ran out once too often
    running --succeed--> succeeded,  --fail--> failed,  --block--> blocked
    queued or running --cancel--> canceled

Terminal states refuse every move, which is what makes them terminal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from darkroom.contract.job import EventName, JobState
from darkroom.ledger.protocol import JsonObject, Outcome


class Move(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"
    EXPIRE = "expire"
    RELEASE = "release"
    LOSE = "lose"
    EXHAUST = "exhaust"
    SUCCEED = "succeed"
    FAIL = "fail"
    BLOCK = "block"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Step:
    """Where a move leads, and the one event that tells of it."""

    state: JobState
    event: EventName


TRANSITIONS: Mapping[tuple[JobState, Move], Step] = {
    (JobState.QUEUED, Move.CLAIM): Step(JobState.RUNNING, "running"),
    (JobState.QUEUED, Move.EXPIRE): Step(JobState.EXPIRED, "expired"),
    (JobState.QUEUED, Move.CANCEL): Step(JobState.CANCELED, "canceled"),
    (JobState.RUNNING, Move.RELEASE): Step(JobState.QUEUED, "requeued"),
    (JobState.RUNNING, Move.LOSE): Step(JobState.QUEUED, "requeued"),
    (JobState.RUNNING, Move.EXHAUST): Step(JobState.FAILED, "failed"),
    (JobState.RUNNING, Move.SUCCEED): Step(JobState.SUCCEEDED, "succeeded"),
    (JobState.RUNNING, Move.FAIL): Step(JobState.FAILED, "failed"),
    (JobState.RUNNING, Move.BLOCK): Step(JobState.BLOCKED, "blocked"),
    (JobState.RUNNING, Move.CANCEL): Step(JobState.CANCELED, "canceled"),
}

_FINISHING = {JobState.SUCCEEDED: Move.SUCCEED, JobState.FAILED: Move.FAIL, JobState.BLOCKED: Move.BLOCK}


def finishing_move(state: JobState) -> Move:
    """The move by which a worker ends an attempt in `state`. Raises: ValueError for a state that is not a worker's."""
    if state not in _FINISHING:
        raise ValueError(f"an attempt cannot end as {state.value}")
    return _FINISHING[state]


def ending_told(outcome: Outcome) -> JsonObject:
    """What the event of an outcome says: how many pictures, or why none."""
    if outcome.failure is not None:
        return outcome.failure.model_dump()
    return {"images": len(outcome.artifacts)}
