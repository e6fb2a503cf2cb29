"""The parent's side: one child at a time, started when there is something to look at, ended when it is idle or fat."""

import asyncio
import contextlib
import io
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import IO, Final, TypeVar

from darkroom.errors import BadPicture, CapacityError
from darkroom.log import get_logger
from darkroom.provenance.carrying import InputCredential, Taken
from darkroom.provenance.credential import Credential
from darkroom.provenance.inspection.evidence import Evidence
from darkroom.provenance.inspection.limits import WALL_SECONDS
from darkroom.provenance.inspection.messages import Answer, Brief, Fit, Look, Question, Read, Take

IDLE_SECONDS: Final = 300.0
LAST_BREATH_SECONDS: Final = 2.0
MOST_GROWN: Final = 32_000_000  # bytes: memory that a library kept, or lost
RETRY_AFTER: Final = 5
PIECE_BYTES: Final = 256 * 1024
LONGEST_ANSWER: Final = 4_000_000

# One thread and one arena: each more would take address space, which is what the child has little of.
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_SECRETS: Final = ("DARKROOM_", "AWS_")  # the child needs no setting of ours
_STOPPED: Final = (-signal.SIGKILL, -signal.SIGTERM)  # from outside, which is not the picture's fault

T = TypeVar("T")

_log = get_logger(__name__)


class InspectorApart:
    """Looks in a child process, with limits on its memory and its time. One picture at a time, the others wait."""

    def __init__(self, brief: Brief, seconds: float = WALL_SECONDS) -> None:
        """`seconds` are those after which a child is given up, whatever it is doing."""
        self._brief = brief.model_dump_json().encode() + b"\n"
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._child: Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def inspect(self, picture: IO[bytes]) -> Evidence:
        """As the protocol says. A picture that costs the child its life is a bad picture."""
        return _given((await self._asked(Look(length=_length(picture)), picture)).evidence)

    async def read(self, store: bytes) -> Credential:
        """As `inspect`."""
        return _given((await self._asked(Read(length=len(store)), io.BytesIO(store))).credential)

    async def take(self, picture: IO[bytes]) -> Taken:
        """As `inspect`."""
        return _given((await self._asked(Take(length=_length(picture)), picture)).taken)

    async def fit(self, credentials: Sequence[InputCredential]) -> bool:
        """As `inspect`."""
        return _given((await self._asked(Fit(credentials=tuple(credentials)), io.BytesIO())).fits)

    async def _asked(self, question: Question, picture: IO[bytes]) -> Answer:
        async with self._turn:
            self._stay()
            answer = await self._answer(question, picture)
            if answer.grown > MOST_GROWN:
                await self._end()
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._leave)
        if answer.refused is not None:
            raise BadPicture(answer.refused)
        if answer.failed is not None:
            _log.error("inspection.failed", error=answer.failed)
            raise BadPicture("the picture cannot be looked at")
        return answer

    async def close(self) -> None:
        """End the child, if there is one."""
        async with self._turn:
            self._stay()
            await self._end()

    async def _answer(self, question: Question, picture: IO[bytes]) -> Answer:
        child = await self._running()
        try:
            async with asyncio.timeout(self._seconds):
                return await _ask(child, question, picture)
        except TimeoutError:
            await self._end()
            raise CapacityError("looking at the picture takes too long now", RETRY_AFTER) from None
        except (OSError, EOFError):
            await self._mourn(child)
            raise _what_ended(child.returncode) from None
        except ValueError:  # more than LONGEST_ANSWER, or no answer at all
            await self._end()
            _log.warning("inspection.unreadable")
            raise BadPicture("what the picture says of itself is too long") from None
        except BaseException:  # half a question is out: the child is of no more use
            await self._end()
            raise

    async def _running(self) -> Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await _start()
            _pipe(self._child).write(self._brief)
        return self._child

    async def _mourn(self, child: Process) -> None:
        """Learn how it ended. To kill it at once would take its exit code away."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), LAST_BREATH_SECONDS)
        await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        _pipe(child).close()
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        if not self._turn.locked():
            self._ending = asyncio.get_running_loop().create_task(self.close())


async def _start() -> Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        __package__,
        env=environment | _ONE_THREAD,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,  # what libraries print may quote the file
        limit=LONGEST_ANSWER,
    )


def _given(found: T | None) -> T:
    assert found is not None, "the child answered another question than was asked"
    return found


def _length(picture: IO[bytes]) -> int:
    return picture.seek(0, os.SEEK_END)


async def _ask(child: Process, question: Question, picture: IO[bytes]) -> Answer:
    """Raises: OSError or EOFError when the child ends instead of answering."""
    assert child.stdout is not None
    pipe = _pipe(child)
    picture.seek(0)
    pipe.write(question.model_dump_json().encode() + b"\n")
    while piece := picture.read(PIECE_BYTES):
        pipe.write(piece)
        await pipe.drain()
    line = await child.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return Answer.model_validate_json(line)


def _pipe(child: Process) -> asyncio.StreamWriter:
    assert child.stdin is not None
    return child.stdin


def _what_ended(code: int | None) -> BadPicture | CapacityError:
    _log.warning("inspection.ended", exit_code=code)
    if code in _STOPPED:
        return CapacityError("looking at the picture was interrupted", RETRY_AFTER)
    return BadPicture("the picture takes more memory or time than one picture may")
