"""A generation from here to its end: its place in line, its events, and what an interrupt does to it."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from darkroom.cli.console import on_stderr
from darkroom.cli.progress import News
from darkroom.client import Client, ClientError, GatewayAway
from darkroom.contract.document import Generation
from darkroom.contract.job import JobState

if TYPE_CHECKING:
    from darkroom.cli.progress import Update

MOST_FAILURES = 20
FIRST_LOOK_SECONDS = 0.1
LOOK_SECONDS = 1.0
# A worker that has just started says what it serves a moment after it is ready.
HINT_SECONDS = 3.0


def follow(client: Client, generation: Generation, show: AbstractContextManager["Update"]) -> Generation:
    """Wait for the end of a generation. Raises: NotMade; GatewayAway when the gateway stays away."""
    with show as update:
        for news in _in_line(client, generation):
            update(news)
        return client.wait(generation, on_event=lambda event: update(News(event.name, event.data)))


@contextmanager
def canceled_when_interrupted(client: Client, generation_id: str) -> Iterator[None]:
    """Ctrl-C inside ends the generation as well, and says what became of it."""
    try:
        yield
    except KeyboardInterrupt:
        on_stderr().print(_cancel(client, generation_id), markup=False)
        raise


def _cancel(client: Client, generation_id: str) -> str:
    try:
        state = client.cancel(generation_id).state
    except ClientError as error:
        return f"{generation_id} goes on, it could not be canceled: {error}"
    return f"canceled {generation_id}" if state == JobState.CANCELED else f"{generation_id} had {state} already"


def _in_line(client: Client, generation: Generation) -> Iterator[News]:
    """While it waits: `queued` with its `position` and, where that is known, `seconds` until it should have ended; and
    once `unserved` with its `model` if no worker serves that.

    The place is no event of the job's own: it changes by what becomes of others, so it is asked for.
    """
    since, pause, failures, hinted = time.monotonic(), FIRST_LOOK_SECONDS, 0, False
    # Our clock may be another than the gateway's; the job was made just now.
    fast = time.time() - generation.created_at.timestamp()
    while generation.state is JobState.QUEUED:
        yield News("queued", _place(generation, time.time() - fast))
        time.sleep(pause)
        pause = min(LOOK_SECONDS, 1.5 * pause)
        try:
            generation, failures = client.get(generation.id), 0
            if not hinted and time.monotonic() - since > HINT_SECONDS and _is_unserved(client, generation):
                hinted = True
                yield News("unserved", {"model": generation.plan.model})
        except GatewayAway:
            failures += 1
            if failures == MOST_FAILURES:
                raise


def _place(generation: Generation, now: float) -> dict[str, float | None]:
    """`now` is by the gateway's clock, as `eta` is."""
    place: dict[str, float | None] = {"position": generation.queue.position if generation.queue else None}
    return place | ({"seconds": max(0.0, generation.eta.timestamp() - now)} if generation.eta else {})


def _is_unserved(client: Client, generation: Generation) -> bool:
    return generation.state is JobState.QUEUED and generation.plan.model in client.unserved()
