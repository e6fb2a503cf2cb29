"""One request, and again where that is allowed and helps."""

import random
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from darkroom.client.errors import ClientError, GatewayAway, Refused, UnexpectedAnswer, refusal, retry_after
from darkroom.client.steps import Answer, Flow, Request, Send, Sleep

M = TypeVar("M", bound=BaseModel)

MOST_PAUSE_SECONDS = 30.0  # of what a gateway may ask for: who is told to come back later than this tells its caller
FIRST_PAUSE_SECONDS = 0.25
BUSY = 429
AWAY = frozenset({502, 503, 504})


def answered(request: Request, retries: int) -> Flow[Answer]:
    """The answer, if it is a good one.

    A request that may be repeated is, up to `retries` times: when the connection breaks, and when the gateway is
    busy or something is away, after as long as it says. Any other only when nothing of it was done.
    Raises: Refused, GatewayAway, UnexpectedAnswer.
    """
    for attempt in range(retries + 1):
        pause = _backoff(attempt)
        try:
            answer: Answer = yield Send(request)
        except GatewayAway as away:
            if attempt == retries or not (request.repeatable or away.unsent):
                raise
        else:
            if answer.status < 400:
                return answer
            error = refusal(answer)
            pause = max(pause, retry_after(answer) or 0.0)
            if attempt == retries or not _worth_repeating(request, error) or pause > MOST_PAUSE_SECONDS:
                raise error
        yield Sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def document(request: Request, kind: type[M], retries: int) -> Flow[M]:
    """The answer as a document of the contract. Raises: as `answered`."""
    return parsed((yield from answered(request, retries)), kind)


def parsed(answer: Answer, kind: type[M]) -> M:
    """Fields that a newer gateway has added are left out. Raises: UnexpectedAnswer."""
    try:
        return kind.model_validate_json(answer.body, extra="ignore")
    except ValidationError as error:
        words = f"the answer of {answer.url} is no {kind.__name__} that this version knows"
        raise UnexpectedAnswer(words, answer.status) from error


def _worth_repeating(request: Request, error: ClientError) -> bool:
    """A proxy's page says nothing of whether it is worth it, a problem document does."""
    if isinstance(error, Refused):
        return error.retryable and (request.repeatable or error.status == BUSY)
    return request.repeatable and error.status in {BUSY, *AWAY}


def _backoff(attempt: int) -> float:
    """Twice as long each time, and not for everybody at once."""
    longest: float = FIRST_PAUSE_SECONDS * 2**attempt
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads, hides nothing
