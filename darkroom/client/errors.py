"""Every error that a client raises on purpose, drawn once.

    ClientError
    ├── GatewayAway         nobody answers, or the connection broke
    ├── UnexpectedAnswer    an answer, but none of darkroom's
    ├── TimedOut            our own patience, not the service's
    ├── NotMade             it ended, and there is no picture
    │   └── Blocked         because something in a picture was flagged
    └── Refused             the gateway said no
        ├── BadRequest      400, 413, 415, 422: `field` says what is wrong where one thing is
        │   └── PromptBlocked  nothing in the form of it: something in its words was flagged
        ├── NotAllowed      401, 403
        ├── NotFound        404, 410
        ├── Conflict        409
        ├── Busy            429, 503: `retry_after` seconds, where it says so
        └── ServerFault     any other

`darkroom.errors` are those of the service, each with one code; these are what can be done about them, and carry
the code that came over the wire. docs/errors.md explains all codes.
"""

import json
from typing import Any, Final

from darkroom.client.steps import Answer
from darkroom.contract.document import Generation
from darkroom.contract.job import Failure, JobState

BLOCKED: Final = JobState.BLOCKED.value  # a state, and the code of what is refused


class ClientError(Exception):
    """`code` is for programs, `detail` for people. `retryable`: the same may succeed later, unchanged. `status` is that
    of HTTP, None where there was no answer."""

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int | None = None,
        retryable: bool = False,
        field: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status
        self.retryable = retryable
        self.field = field


class GatewayAway(ClientError):
    """Nobody answers, or the connection broke. `unsent`: nothing reached it, so that repeating cannot do it twice."""

    def __init__(self, detail: str, *, unsent: bool = False) -> None:
        super().__init__(detail, code="gateway_away", retryable=True)
        self.unsent = unsent


class UnexpectedAnswer(ClientError):
    """What came back is not what a darkroom answers: another service, a proxy's page, or a much newer version."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail, code="unexpected_answer", status=status)


class TimedOut(ClientError):
    """It goes on, and may be waited for again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="timed_out", retryable=True)


class NotMade(ClientError):
    """It ended, and there is no picture. `code` is the failure's, or the state it ended in; `generation` is its record,
    None where it was a control map."""

    def __init__(self, detail: str, *, code: str, retryable: bool, generation: Generation | None = None) -> None:
        super().__init__(detail, code=code, retryable=retryable)
        self.generation = generation


class Blocked(NotMade):
    """A picture that it began with, or one that came out, was flagged; `safety` of its record says as what."""


class Refused(ClientError):
    """The gateway answered, and did not do it. `errors` are all fields that are wrong, as (field, detail)."""

    def __init__(self, answer: Answer, problem: dict[str, Any]) -> None:
        field = problem.get("field")
        super().__init__(
            str(problem["detail"]),
            code=str(problem["code"]),
            status=answer.status,
            retryable=bool(problem.get("retryable")),
            field=None if field is None else str(field),
        )
        self.retry_after = retry_after(answer)
        self.errors = tuple((str(each.get("field")), str(each.get("detail"))) for each in problem.get("errors") or ())


class BadRequest(Refused):
    """Something in the request is wrong."""


class PromptBlocked(BadRequest):
    """Its words were flagged; `detail` says as what."""


class NotAllowed(Refused):
    """The key is missing, or not known."""


class NotFound(Refused):
    """There is none, or it is not kept any more."""


class Conflict(Refused):
    """It contradicts what was asked before."""


class Busy(Refused):
    """Too much is asked of it now, or something that it stands on is away."""


class ServerFault(Refused):
    """A fault of the service's."""


def not_made(detail: str, state: JobState, failure: Failure | None, generation: Generation | None = None) -> NotMade:
    """What to raise for what ended in `state` and left no picture."""
    kind = Blocked if state is JobState.BLOCKED else NotMade
    return kind(
        detail,
        code=failure.code if failure else state,
        retryable=failure.retryable if failure else False,
        generation=generation,
    )


_BY_STATUS: dict[int, type[Refused]] = {
    **dict.fromkeys((400, 413, 415, 422), BadRequest),
    **dict.fromkeys((401, 403), NotAllowed),
    **dict.fromkeys((404, 410), NotFound),
    409: Conflict,
    **dict.fromkeys((429, 503), Busy),
}


def refusal(answer: Answer) -> ClientError:
    """The error that an answer of 400 or more stands for: its problem document (RFC 9457), if it has one."""
    try:
        problem = json.loads(answer.body)
        kind = PromptBlocked if problem["code"] == BLOCKED else _BY_STATUS.get(answer.status, ServerFault)
        return kind(answer, problem)
    except (ValueError, KeyError, TypeError, AttributeError):
        words = f"HTTP {answer.status} from {answer.url}"
        return UnexpectedAnswer(words, answer.status)


def retry_after(answer: Answer) -> float | None:
    """Seconds; a date, which RFC 9110 allows as well, is none of ours."""
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
