"""The child's side of its pulse: a thread that writes one line into the supervisor's pipe, twice a second."""

import os
import threading
from collections.abc import Callable
from typing import Protocol

from worker.exits import ORPHANED
from worker.status import Pulse, State

BEAT_SECONDS = 0.5


class Beat(Protocol):
    """What the engine shows of itself; see `worker.engine.Heartbeat`."""

    @property
    def at(self) -> float | None: ...

    @property
    def expected(self) -> float: ...


class Heart:
    """`say` sends a new state at once. When nobody reads any more, the supervisor is gone, and this process ends."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self._fd = fd
        self._news = threading.Condition()
        self._state: State = "loading"
        self._detail = ""
        self._engine: Callable[[], Beat] | None = None

    def start(self) -> None:
        threading.Thread(target=self._beat_for_ever, name="heart", daemon=True).start()

    def watch(self, engine: Callable[[], Beat]) -> None:
        """Tell from now on how the engine's running step stands."""
        self._engine = engine

    def say(self, state: State, detail: str = "") -> None:
        """Returns when the state is in the pipe."""
        with self._news:
            self._state, self._detail = state, detail
            self._write()

    def _beat_for_ever(self) -> None:
        with self._news:
            while True:
                self._write()
                self._news.wait(BEAT_SECONDS)

    def _write(self) -> None:
        beat = self._engine() if self._engine else None
        pulse = Pulse(
            state=self._state,
            detail=self._detail,
            step_at=beat.at if beat else None,
            step_seconds=beat.expected if beat else 0.0,
        )
        try:
            os.write(self._fd, pulse.model_dump_json().encode() + b"\n")
        except BrokenPipeError:
            os._exit(ORPHANED)
