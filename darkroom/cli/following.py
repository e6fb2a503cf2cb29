"""A generation from here to its end: its place in line, its events, and what an interrupt does to it."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from darkroom.cli.client import Client, Event
from darkroom.cli.console import CommandFailed, on_stderr
from darkroom.errors import UnavailableError

if TYPE_CHECKING:
    from darkroom.cli.progress import Update

MOST_FAILURES = 20
RETRY_SECONDS = 0.5
FIRST_LOOK_SECONDS = 0.1
LOOK_SECONDS = 1.0
# A worker that has just started says what it serves a moment after it is ready.
HINT_SECONDS = 3.0


def follow(client: Client, job: dict[str, Any], show: AbstractContextManager["Update"]) -> None:
    """Wait for the end of a generation. Raises: CommandFailed; UnavailableError when the gateway stays away."""
    with show as update:
        for event in _in_line(client, job):
            update(event)
        for event in _all_events(client, job["id"]):
            update(event)
    ended = client.generation(job["id"])
    if ended["state"] != "succeeded":
        failure = ended.get("failure") or {}
        raise CommandFailed(f"the generation {ended['state']}: {failure.get('message', 'no picture was made')}")


@contextmanager
def canceled_when_interrupted(client: Client, job_id: str) -> Iterator[None]:
    """Ctrl-C inside ends the generation as well, and says what became of it."""
    try:
        yield
    except KeyboardInterrupt:
        on_stderr().print(_cancel(client, job_id), markup=False)
        raise


def _cancel(client: Client, job_id: str) -> str:
    try:
        state = client.cancel(job_id)["state"]
    except (CommandFailed, UnavailableError) as error:
        return f"{job_id} goes on, it could not be canceled: {error}"
    return f"canceled {job_id}" if state == "canceled" else f"{job_id} had {state} already"


def _in_line(client: Client, job: dict[str, Any]) -> Iterator[Event]:
    """While it waits: `queued` with its `position` and, where that is known, `seconds` until it should have ended; and
    once `unserved` with its `model` if no worker serves that.

    The place is no event of the job's own: it changes by what becomes of others, so it is asked for.
    """
    since, pause, failures, hinted = time.monotonic(), FIRST_LOOK_SECONDS, 0, False
    # Our clock may be another than the gateway's; the job was made just now.
    fast = time.time() - _unix(job["created_at"]) if "created_at" in job else 0.0
    while job.get("state") == "queued":
        yield Event("", "queued", _place(job, time.time() - fast))
        time.sleep(pause)
        pause = min(LOOK_SECONDS, 1.5 * pause)
        try:
            job, failures = client.generation(job["id"]), 0
            if not hinted and time.monotonic() - since > HINT_SECONDS and _is_unserved(client, job):
                hinted = True
                yield Event("", "unserved", {"model": job["plan"]["model"]})
        except UnavailableError:
            failures += 1
            if failures == MOST_FAILURES:
                raise


def _place(job: dict[str, Any], now: float) -> dict[str, Any]:
    """`now` is by the gateway's clock, as `eta` is."""
    place = {"position": (job.get("queue") or {}).get("position")}
    return place | {"seconds": max(0.0, _unix(job["eta"]) - now)} if job.get("eta") else place


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _is_unserved(client: Client, job: dict[str, Any]) -> bool:
    return job["state"] == "queued" and job["plan"]["model"] in client.unserved()


def _all_events(client: Client, job_id: str) -> Iterator[Event]:
    """Everything until the end. A stream that is cut goes on where it was: gateways are restarted."""
    after, failures = "", 0
    while True:
        try:
            for event in client.events(job_id, after):
                yield event
                after, failures = event.id, 0
            if client.generation(job_id)["state"] not in ("queued", "running"):
                return
        except UnavailableError:
            failures += 1
            if failures == MOST_FAILURES:
                raise
        time.sleep(RETRY_SECONDS)
