"""Threads on which checkers are asked, and what becomes of one that never comes back."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

Seen = TypeVar("Seen")


class Lookers:
    """A thread cannot be ended, so a look that hangs keeps its own. There are never more than `threads`: once all hang,
    nobody is waited for, until one of them comes back.

    `hung`: seconds that a look may take, and that none of those in front of it may begin. `stuck` is called when all
    hang, as often as that is noticed.
    """

    def __init__(self, threads: int, name: str, hung: float, stuck: Callable[[], None] = lambda: None) -> None:
        self._most = threads
        self._threads = ThreadPoolExecutor(threads, name)
        self._hung = hung
        self._stuck = stuck
        self._lock = Lock()
        self._begun: dict[object, float] = {}  # looks under way -> when they began

    async def asked(self, look: Callable[[], Seen]) -> Seen | None:
        """What `look` says; None where it hangs, or all that it would have to wait for. Raises: as `look`."""
        if self._all_hang():  # nor is anything put in line, where it and its picture would stay
            self._stuck()
            return None
        this = object()
        looking = asyncio.get_running_loop().run_in_executor(self._threads, self._looked, this, look)
        try:
            while (left := self._patience(this)) > 0:
                done, _ = await asyncio.wait((looking,), timeout=left)
                if done:
                    return looking.result()
            if self._all_hang():
                self._stuck()
            return None
        finally:
            looking.cancel()

    def close(self) -> None:
        """Leave those who are still being asked to their time-outs."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _looked(self, this: object, look: Callable[[], Seen]) -> Seen:
        with self._lock:
            self._begun[this] = time.monotonic()
        try:
            return look()
        finally:
            with self._lock:
                del self._begun[this]

    def _patience(self, this: object) -> float:
        """Seconds that this look may still take, or those in front of it."""
        with self._lock:
            if (since := self._begun.get(this)) is None:
                if len(self._begun) < self._most:  # it begins at once
                    return self._hung
                since = max(self._begun.values())
        return since + self._hung - time.monotonic()

    def _all_hang(self) -> bool:
        with self._lock:
            long_ago = time.monotonic() - self._hung
            return len(self._begun) == self._most and all(began <= long_ago for began in self._begun.values())
