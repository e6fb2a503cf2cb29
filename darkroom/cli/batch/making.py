"""Many pictures, a few at a time, each asked for once however often the batch is begun again."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from darkroom.cli.batch.lines import Line
from darkroom.client import AsyncClient, BadRequest, ClientError, Conflict, NotMade
from darkroom.contract.document import Generation
from darkroom.contract.job import JobEvent, JobState

State = Literal["waiting", "in line", "developing", "made", "there already", "failed"]
# What ended without a picture in runs before is asked for anew, so many times.
MOST_TURNS = 64
END_SECONDS = 2.0


@dataclass
class Row:
    """How one line of the batch stands."""

    line: Line
    path: Path
    state: State = "waiting"
    step: int = 0
    steps: int = 0
    words: str = ""
    generation: str | None = None

    @property
    def over(self) -> bool:
        return self.state in ("made", "there already", "failed")


def rows_of(lines: Sequence[Line], folder: Path, extension: str) -> list[Row]:
    """What lies in the folder under the name of a line is not made again."""
    rows = [Row(line, folder / f"{line.stem}{extension}") for line in lines]
    for row in rows:
        if row.path.exists():
            row.state = "there already"
    return rows


async def make_all(
    client: AsyncClient, rows: Sequence[Row], at_once: int, done: Callable[[Row], object] = lambda _: None
) -> None:
    """Make what is not there yet. What is wrong with one line ends that line; what is wrong with the gateway, all.

    Raises: ClientError but BadRequest, Conflict and NotMade. Whoever cancels this cancels what is in flight.
    """
    room = asyncio.Semaphore(at_once)

    async def one(row: Row) -> None:
        async with room:
            await _make(client, row)
        done(row)

    try:
        async with asyncio.TaskGroup() as group:
            for row in rows:
                if not row.over:
                    group.create_task(one(row))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _make(client: AsyncClient, row: Row) -> None:
    try:
        row.state = "in line"
        generation = await _asked(client, row)
        row.generation = generation.id
        try:
            made = await client.wait(generation, on_event=lambda event: _note(row, event))
        except asyncio.CancelledError:
            await _end(client, generation.id)
            raise
        await client.save(made, row.path)
        row.state = "made"
    except (BadRequest, Conflict, NotMade) as error:
        row.state, row.words = "failed", f"{error} ({error.code})"


async def _end(client: AsyncClient, generation_id: str) -> None:
    """If it can be told to end at once: nobody who presses Ctrl-C waits for a gateway that is away."""
    with suppress(ClientError, TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await client.cancel(generation_id)


async def _asked(client: AsyncClient, row: Row) -> Generation:
    """What an earlier run asked for and did not bring home is found again by its key."""
    fields: dict[str, Any] = dict(row.line.fields)
    for turn in range(MOST_TURNS):
        generation = await client.submit(row.line.prompt, idempotency_key=_key(row, turn), **fields)
        if not generation.state.terminal or generation.state is JobState.SUCCEEDED:
            break
    return generation


def _key(row: Row, turn: int) -> str:
    """Of a picture in a folder: the same words in another folder are another picture."""
    place = hashlib.sha256(f"{row.path.absolute()}\n{row.line.digest}".encode()).hexdigest()
    return f"batch-{place[:40]}-{turn}"


def _note(row: Row, event: JobEvent) -> None:
    if event.name == "running":
        row.state = "developing"
    elif event.name == "requeued":
        row.state, row.step = "in line", 0
    elif event.name == "progress":
        row.step, row.steps = int(str(event.data["step"])), int(str(event.data["steps"]))
