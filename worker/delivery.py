"""From the spool to the store, in order, as soon as the store takes pictures again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from darkroom.contract.job import JobState
from darkroom.errors import ConfigurationError, NotFound, StoreError, UnavailableError
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger
from darkroom.metrics import Metrics
from darkroom.provenance import Record, Stamped
from darkroom.services import WorkerServices
from darkroom.storage.protocol import ObjectStore
from worker.spool import Damaged, Spool

FIRST_PAUSE = 0.2
MOST_PAUSE = 2.0

log = get_logger(__name__)


def open_delivery(services: WorkerServices, on_high: Callable[[bool], None]) -> "Delivery | None":
    """None where settings want no spool. Raises: ConfigurationError for a folder that cannot be used."""
    settings = services.settings
    if not settings.spool_bytes:
        return None
    try:
        spool = Spool(settings.spool_root, settings.spool_bytes)
    except OSError as error:
        raise ConfigurationError(f"the spool's folder cannot be used ({error.strerror})") from error
    return Delivery(spool, services.stamper, services.store, services.ledger, services.metrics, on_high)


class Delivering(Protocol):
    """What delivery needs of `darkroom.provenance.Stamper`."""

    def deliver(self, stamped: Stamped, store: ObjectStore, key: str) -> Awaitable[Stamped]: ...


class Delivery:
    """Belongs to the worker's event loop; `run` is its line. `on_high` is told when the spool gets too full for new
    jobs, and when it has room again.

    A picture that nobody here waits for was left by a process that died, or its job went elsewhere. It is stored all
    the same while its job may still end well, since the next attempt at it adopts what is stored; else it is removed.
    """

    def __init__(
        self,
        spool: Spool,
        stamper: Delivering,
        store: ObjectStore,
        ledger: Ledger,
        metrics: Metrics | None = None,
        on_high: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._spool = spool
        self._stamper = stamper
        self._store = store
        self._ledger = ledger
        self._metrics = metrics or Metrics()
        self._on_high = on_high
        self._high = False
        self._waiting: dict[Path, asyncio.Future[Stamped]] = {}
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()

    @property
    def high(self) -> bool:
        """Whether nothing more should be claimed."""
        return self._high

    @property
    def room(self) -> int:
        """Bytes that can still be taken."""
        return self._spool.room

    async def accept(self, key: str, stamped: Stamped) -> "asyncio.Future[Stamped]":
        """Put a picture into the spool; what is returned has what became of it in the store.

        Raises: SpoolFull.
        """
        delivered: asyncio.Future[Stamped] = asyncio.get_running_loop().create_future()

        def write() -> None:
            self._waiting[self._spool.write(key, stamped)] = delivered

        try:
            async with self._writing:
                await asyncio.to_thread(write)
        finally:
            self._changed()
        log.info("picture.spooled", job_id=stamped.record.job_id, index=stamped.record.index)
        return delivered

    async def run(self) -> None:
        """Until canceled."""
        self._changed()
        pause = FIRST_PAUSE
        while True:
            path = self._spool.oldest()
            if path is None:
                self._news.clear()
                await self._news.wait()
                continue
            try:
                await self._send(path)
                pause = FIRST_PAUSE
            except UnavailableError:
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  no secret
                pause = min(MOST_PAUSE, 2 * pause)

    async def _send(self, path: Path) -> None:
        """Store one picture. Raises: UnavailableError, for another try."""
        waiting = self._waiting.get(path)
        try:
            header, stamped = await asyncio.to_thread(self._spool.read, path)
            if _awaited(waiting) or await self._may_count(header.record):
                stamped = await self._stamper.deliver(stamped, self._store, header.key)
                log.info("picture.delivered", job_id=header.record.job_id, index=header.record.index)
            else:
                log.info("picture.unwanted", job_id=header.record.job_id, index=header.record.index)
            self._end(path, lambda future: future.set_result(stamped))
        except UnavailableError:
            raise
        except Damaged:
            log.error("spool.damaged", file=path.name)
            lost = StoreError("a finished picture was lost on the worker's disk")
            self._end(path, lambda future: future.set_exception(lost))
        except Exception as error:  # noqa: BLE001  it must not hold up those behind it
            log.error("picture.undeliverable", file=path.name, error=type(error).__name__)
            wrong = error
            self._end(path, lambda future: future.set_exception(wrong))

    async def _may_count(self, record: Record) -> bool:
        """Whether its job can still succeed. Raises: LedgerUnavailable."""
        try:
            job = await self._ledger.get(record.tenant, record.job_id)
        except NotFound:
            return False
        return job.state in (JobState.QUEUED, JobState.RUNNING)

    def _end(self, path: Path, tell: "Callable[[asyncio.Future[Stamped]], None]") -> None:
        self._spool.remove(path)
        waiting = self._waiting.pop(path, None)
        if waiting is not None and not waiting.done():
            tell(waiting)
        self._changed()

    def _changed(self) -> None:
        self._news.set()
        self._metrics.spooled(pictures=len(self._spool), size=self._spool.used)
        if self._high != self._spool.high:
            self._high = self._spool.high
            if self._high:
                log.warning("spool.high", bytes=self._spool.used)
            else:
                log.info("spool.has_room", bytes=self._spool.used)
            self._on_high(self._high)


def _awaited(waiting: "asyncio.Future[Stamped] | None") -> bool:
    return waiting is not None and not waiting.done()
