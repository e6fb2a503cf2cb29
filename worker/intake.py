"""Where jobs come in: claims while the engine has room, keeps their leases, tells of their progress, drains.

It lives on an event loop in a thread of its own, so the engine never waits for Redis, nor Redis for the engine.
"""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from darkroom import crash
from darkroom.contract.preprocess import PREPROCESSING
from darkroom.errors import LedgerUnavailable
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger
from darkroom.metrics import Metrics
from darkroom.queue import Bells
from worker.hand import Hand
from worker.held import CANCELED
from worker.journey import under_way
from worker.looking import Looking
from worker.rhythm import Rhythm

log = get_logger(__name__)


class Intake:
    """One worker's side of the ledger. `serve` and `drain` may be called from any thread, `drain` also by a signal."""

    def __init__(
        self,
        ledger: Ledger,
        bells: Bells,
        hand: Hand,
        worker: str,
        models: Sequence[str],
        rhythm: Rhythm,
        metrics: Metrics | None = None,
    ) -> None:
        self._ledger = ledger
        self._bells = bells
        self._hand = hand
        self._worker = worker
        self._models = tuple(models)
        self._rhythm = rhythm
        self._metrics = metrics or Metrics()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._idle = threading.Event()
        self._away = False
        self._looking = Looking(rhythm.look, rhythm.looks)

    # --- for other threads -------------------------------------------------------------------------------------------

    def serve(self, model: str) -> None:
        """Look for work, and return when there is none left to claim and none in hand."""
        self._idle.clear()
        if self._tell(self._called):
            self._idle.wait()

    def drain(self) -> None:
        """Claim nothing more, finish what fits, hand back the rest; `run` then returns."""
        self._tell(self._stop)

    def _called(self) -> None:
        """Somebody waits. A bell may ring at one who is busy, and is nobody else's then: no pause must outlast it."""
        self._looking.anew()
        self._hand.changed.set()

    def _stop(self) -> None:
        self._stopping.set()
        self._hand.changed.set()

    def _tell(self, callback: Callable[[], object]) -> bool:
        """Run `callback` on the loop; False when there is none, before and after `run`."""
        loop = self._loop
        if loop is None:
            return False
        loop.call_soon_threadsafe(callback)
        return True

    # --- on the loop -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until `drain` is called and done. The first look needs no bell: it serves what already waits."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                claims = group.create_task(self._claims())
                attending = group.create_task(self._every(lambda: self._rhythm.attend, self._attend))
                rounds = [
                    group.create_task(self._every(lambda: self._rhythm.renew, self._renew)),
                    group.create_task(self._every(lambda: self._rhythm.report, self._report)),
                    group.create_task(self._every(self._until_reap, self._reap)),
                ]
                await claims
                attending.cancel()
                await self._withdraw()
                await self._empty_hand()
                for task in rounds:
                    task.cancel()
        finally:
            self._loop = None
            self._idle.set()

    async def _claims(self) -> None:
        """Look whenever something changed: a bell, a step (there may be room at its boundary), a job that left."""
        while not self._stopping.is_set():
            self._hand.changed.clear()
            with self._bearing_outage():
                await self._claim()
            if not len(self._hand):
                self._idle.set()
            await self._hand.changed.wait()
            self._idle.clear()
            if len(self._hand):
                await asyncio.sleep(self._rhythm.look)

    async def _claim(self) -> None:
        """Generations and maps apart, so that neither takes the other's room."""
        generations = tuple(model for model in self._models if model != PREPROCESSING)
        maps = tuple(model for model in self._models if model == PREPROCESSING)
        self._looking.making(sum(held.generating for held in self._hand))
        for models, room in ((generations, self._hand.room()), (maps, self._hand.room_for_maps())):
            if models and room > 0 and self._looking.due(models):
                claims = await self._ledger.claim(self._worker, models, room)
                if claims:
                    crash.here("after_claim")
                else:
                    self._looking.in_vain(models)
                self._looking.took(len(claims))
                for claim in claims:
                    with under_way(claim):
                        await self._hand.take(claim)

    async def _renew(self) -> None:
        attempts = self._hand.attempts()
        if not attempts:
            return
        renewal = await self._ledger.renew(self._worker, attempts)
        for job_id in renewal.canceled:
            self._hand.drop(job_id, CANCELED)
        for job_id in renewal.lost:
            self._hand.drop(job_id, "lease lost")

    async def _report(self) -> None:
        news = [(held, progress) for held in self._hand if (progress := held.unreported())]
        for held, progress in news:
            held.reported = progress
        if not news:
            return
        try:
            await self._ledger.report(*((held.claim.job_id, held.claim.attempt, progress) for held, progress in news))
        except LedgerUnavailable:
            for held, progress in news:
                if held.reported is progress:
                    held.reported = None  # a last step would not be followed by another that tells as much
            raise

    async def _attend(self) -> None:
        """One whose pictures pile up says that it serves nobody: it claims nothing."""
        self._looking.beside(await self._ledger.attend(self._worker, () if self._hand.stalled else self._models))

    async def _withdraw(self) -> None:
        """A worker that drains serves nobody new."""
        with self._bearing_outage():
            await self._ledger.attend(self._worker, ())

    def _until_reap(self) -> float:
        return self._looking.seconds_between(self._rhythm.reap, self._rhythm.sweeps)

    async def _reap(self) -> None:
        """Every worker sweeps: puts back what dead ones held, and rings again for what waits unheard."""
        reaped = await self._ledger.reap(counts=self._metrics.shown)
        self._metrics.swept(reaped.untold, reaped.waiting)
        if self._away:
            log.info("ledger.back", held=len(self._hand))
        self._away = False
        if any(reaped.waiting.get(model) for model in self._models):
            self._called()
        for model in reaped.waiting:
            await self._bells.ring(model)

    async def _every(self, seconds: Callable[[], float], act: Callable[[], Awaitable[None]]) -> None:
        """`act` again and again, with jitter, so that workers started together do not stay in step."""
        while True:
            with self._bearing_outage():
                await act()
            await asyncio.sleep(seconds() * random.uniform(0.8, 1.2))  # noqa: S311  no secret

    @contextmanager
    def _bearing_outage(self) -> Iterator[None]:
        """Go on while the ledger is away: what is in hand is still computed, and the fence decides what counts."""
        try:
            yield
        except LedgerUnavailable:
            if not self._away:
                log.warning("ledger.away", held=len(self._hand))
            self._away = True

    # --- the end -----------------------------------------------------------------------------------------------------

    async def _empty_hand(self) -> None:
        """Finish what fits into the drain time; hand back the rest, each as soon as it is known not to fit."""
        log.info("worker.draining", held=len(self._hand), seconds=self._rhythm.drain)
        until = time.monotonic() + self._rhythm.drain
        while len(self._hand):
            now = time.monotonic()
            late = [held for held in self._hand if not held.dropped and held.remaining(now) >= until - now]
            await asyncio.gather(*map(self._hand.hand_back, late))
            if now >= until:
                break
            self._hand.changed.clear()
            await _wait_at_most(min(0.5, until - now), self._hand.changed)
        log.info("worker.drained", held=len(self._hand))


async def _wait_at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
