"""A generation from here to its end, whatever happens to the connection, and what an interrupt does to it."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args

from pydantic import ValidationError

from darkroom.client.errors import Busy, ClientError, GatewayAway, TimedOut, UnexpectedAnswer, not_made, refusal
from darkroom.client.flows.generations import GENERATIONS, canceled, looked_up, submitted
from darkroom.client.flows.places import place_in
from darkroom.client.server_sent import Reader
from darkroom.client.steps import Answer, Flow, NextLine, Open, Request, Sleep, Tell
from darkroom.contract.document import Generation
from darkroom.contract.job import EventName, JobEvent, JobState

MOST_FAILURES = 20
RETRY_SECONDS = 0.5
# A silent event stream is pinged every 15 s: twice that without a byte means the gateway is gone.
SILENCE_SECONDS = 35.0
NOTHING_FOLLOWS = 204

_KNOWN = frozenset(get_args(EventName))
_STATES = frozenset(state.value for state in JobState)
_INTERRUPTS = (KeyboardInterrupt, asyncio.CancelledError)


def events(generation_id: str, after: str = "", until: float | None = None) -> Flow[None]:
    """Tells all that happens after the event `after`, until it ends. A stream that is cut goes on where it was:
    gateways are restarted. `until` is a monotonic time.

    Raises: GatewayAway and Busy that last; NotFound, NotAllowed; TimedOut.
    """
    seen, failures = _Seen(after), 0
    while True:
        pause = RETRY_SECONDS
        trouble: ClientError = GatewayAway("its event streams end as soon as they begin")
        try:
            yield from _one_stream(generation_id, seen, until)
        except GatewayAway as error:
            trouble = error
        except Busy as error:
            pause, trouble = max(pause, error.retry_after or 0.0), error
        if seen.ended:
            return
        if until is not None and time.monotonic() >= until:
            raise TimedOut(f"{generation_id} has not ended yet")
        failures = 0 if seen.anything else failures + 1
        if failures == MOST_FAILURES:
            raise trouble
        yield Sleep(pause)


class _Seen:
    """`after` is the last event's id. `anything`: the latest stream had a word to say."""

    def __init__(self, after: str) -> None:
        self.after = after
        self.anything = False
        self.ended = False


def _one_stream(generation_id: str, seen: _Seen, until: float | None) -> Flow[None]:
    seen.anything = False
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": seen.after} if seen.after else {})
    silence = SILENCE_SECONDS if until is None else min(SILENCE_SECONDS, max(0.05, until - time.monotonic()))
    answer: Answer = yield Open(
        Request("GET", f"{place_in(GENERATIONS, generation_id)}/events", headers=headers), silence
    )
    if answer.status >= 400:
        raise refusal(answer)
    if answer.status == NOTHING_FOLLOWS:
        seen.ended = True
        return
    reader = Reader()
    while (line := (yield NextLine())) is not None:
        seen.anything = seen.anything or (line != "" and not line.startswith("retry"))
        for name, data in reader.read(line):
            seen.after = reader.last_id or seen.after
            # A newer gateway may tell of more: whoever wants to know of that is newer as well.
            if name in _KNOWN:
                yield Tell(_event(data))
                seen.ended = name in _STATES and JobState(name).terminal
        if seen.ended or (until is not None and time.monotonic() >= until):
            return


def _event(data: str) -> JobEvent:
    try:
        return JobEvent.model_validate_json(data, extra="ignore")
    except ValidationError as error:
        raise UnexpectedAnswer("an event of the stream is none that this version knows") from error


def ended(generation_id: str, within: float | None, retries: int) -> Flow[Generation]:
    """Its record, once it has ended, however it did. Tells its events meanwhile. Raises: as `events`."""
    until = None if within is None else time.monotonic() + within
    yield from events(generation_id, until=until)
    return (yield from looked_up(generation_id, retries))


def made(fields: Mapping[str, Any], key: str | None, within: float | None, retries: int) -> Flow[Generation]:
    """Its record with its pictures. Whatever interrupts the wait, our own patience too, cancels it.

    Raises: NotMade; TimedOut; and as `submitted` and `events`.
    """
    generation = yield from submitted(fields, key, retries)
    try:
        yield Tell(generation)
        return with_pictures((yield from ended(generation.id, within, retries)))
    except (*_INTERRUPTS, TimedOut):
        with suppress(ClientError):
            yield from canceled(generation.id, 0)
        raise


def with_pictures(generation: Generation) -> Generation:
    """Raises: NotMade."""
    if generation.state is JobState.SUCCEEDED:
        return generation
    failure, ended_as = generation.failure, "was blocked" if generation.state is JobState.BLOCKED else generation.state
    words = f"the generation {ended_as}: {failure.message if failure else 'no picture was made'}"
    raise not_made(words, generation.state, failure, generation)
