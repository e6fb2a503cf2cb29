"""Stops asking what does not answer, so that nobody waits for a time-out that others have waited for already.

Closed, calls pass. After failures in a row that were waited for it is open: calls are refused at once, and a probe of
our own, one at a time and nobody's request, asks whether the dependency is back. The first that is answered closes.

A failure that is told at once opens nothing: it costs nobody time, and may be about one kind of call, as when a full
Redis refuses writes and still reads.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from darkroom.errors import UnavailableError
from darkroom.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """In seconds, but for `failures`. A failure counts once it was waited for as long as `waited`.

    `rest` passes before each probe. Where calls fail although probes succeed, opening again takes twice the rest
    before, up to `most_rest`.
    """

    failures: int = 2
    waited: float = 0.1
    rest: float = 0.5
    most_rest: float = 8.0


# For a dependency whose refusals cost much even where they come soon, and are seldom about one kind of call.
ANY_FAILURE = Limits(failures=3, waited=0.0)


class Breaker:
    """Guards calls to one dependency; belongs to one event loop. `on_change` is told whether it is open now."""

    def __init__(
        self, dependency: str, on_change: Callable[[bool], None] = lambda _: None, limits: Limits | None = None
    ) -> None:
        self.dependency = dependency
        self._on_change = on_change
        self._limits = limits or Limits()
        self._failures = 0
        self._rest = self._limits.rest
        self._refusal: UnavailableError | None = None
        self._probe: Callable[[], Awaitable[object]] | None = None
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._refusal is not None

    def probe_by(self, probe: Callable[[], Awaitable[object]]) -> None:
        """How to ask whether the dependency is back: raises UnavailableError while it is not, within its time."""
        self._probe = probe

    def check(self) -> None:
        """Raises: what the call that opened it raised, anew; UnavailableError, therefore."""
        if self._refusal is not None:
            raise self._refusal.anew()

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Refuse, or watch what becomes of the call inside. Raises: as `check`, and what the call raises."""
        self.check()
        began = monotonic()
        try:
            yield
        except UnavailableError as error:
            if monotonic() - began >= self._limits.waited:
                self._failed(error)
            raise
        except Exception:  # an answer, if not a pleasant one
            self._answered()
            raise
        else:
            self._answered()

    async def close(self) -> None:
        """Stop probing. Asks again until it is so: see `NewsBell.close`."""
        while self._probing is not None and not self._probing.done():
            self._probing.cancel()
            await asyncio.wait([self._probing], timeout=0.05)
        self._probing = None

    def _answered(self) -> None:
        self._failures = 0
        if not self.is_open:
            self._rest = self._limits.rest

    def _failed(self, error: UnavailableError) -> None:
        self._failures += 1
        if self._failures >= self._limits.failures and not self.is_open and self._probe is not None:
            self._refusal = error
            self._probing = asyncio.create_task(self._until_back(self._probe), name=f"probe-{self.dependency}")
            log.warning("breaker.opened", dependency=self.dependency, code=error.code)
            self._on_change(True)

    async def _until_back(self, probe: Callable[[], Awaitable[object]]) -> None:
        rest, self._rest = self._rest, min(self._limits.most_rest, 2 * self._rest)
        while True:
            await asyncio.sleep(rest * random.uniform(0.8, 1.2))  # noqa: S311  no secret
            try:
                await probe()
                break
            except UnavailableError:
                rest = self._limits.rest
            except Exception as error:  # noqa: BLE001  an answer, too; whoever asks next shall hear it
                log.warning("probe.answered", dependency=self.dependency, error=type(error).__name__)
                break
        self._refusal, self._failures = None, 0
        log.info("breaker.closed", dependency=self.dependency)
        self._on_change(False)
