"""A worker without a device: the real hand and intake around a scripted engine and a stamper that only stores."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ulid import ULID

from darkroom.contract.job import Job, Progress
from darkroom.errors import DarkroomError, LedgerUnavailable, StoreUnavailable
from darkroom.ledger.memory import MemoryLedger
from darkroom.ledger.protocol import Claim, Outcome, Reaped, Renewal
from darkroom.ledger.rules import Rules
from darkroom.metrics import Metrics
from darkroom.provenance import Facts, Record, Stamped
from darkroom.provenance.records import RecordStore
from darkroom.queue import SilentBells
from darkroom.storage.memory import MemoryStore
from tests.checkers import Scripted, screen
from tests.fakes import fake_catalog
from tests.integration.ledger.making import submission
from tests.until import until
from worker.engine.request import Work
from worker.finish import Finisher, Picture
from worker.hand import Hand
from worker.inputs import Inputs
from worker.intake import Intake
from worker.mapping import MapMaker
from worker.preprocessors.preprocessing import Preprocessors
from worker.relay import Relay
from worker.rhythm import Rhythm
from worker.screening import Screening
from worker.viewer import Viewer

QUICK = Rhythm(renew=0.005, reap=0.005, report=0.005, attend=0.005, look=0.0, drain=0.2)
NEVER = 3600.0
PICTURE = np.zeros((8, 8, 3), np.uint8)


class Clock:
    """Unix seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class FlakyLedger(MemoryLedger):
    """A memory ledger whose server can go away, as workers see it."""

    away = False
    looks = reports = sweeps = 0
    may_show: asyncio.Event
    shown: list[tuple[str, int]]
    _told: frozenset[str] = frozenset()

    def _reach(self) -> None:
        if self.away:
            raise LedgerUnavailable("the ledger is away")

    async def claim(self, worker: str, models: Any, room: int) -> list[Claim]:
        self._reach()
        self.looks += 1
        return await super().claim(worker, models, room)

    async def renew(self, worker: str, attempts: Any) -> Renewal:
        self._reach()
        return await super().renew(worker, attempts)

    async def report(self, *news: tuple[str, int, Progress]) -> None:
        self._reach()
        self.reports += 1
        await super().report(*news)

    async def show_preview(self, job_id: str, attempt: int, index: int, frame: bytes) -> None:
        self._reach()
        self.shown.append((job_id, index))
        await self.may_show.wait()
        await super().show_preview(job_id, attempt, index, frame)

    async def finish(self, job_id: str, attempt: int, outcome: Outcome) -> Job:
        self._reach()
        return await super().finish(job_id, attempt, outcome)

    async def release(self, job_id: str, attempt: int) -> None:
        self._reach()
        await super().release(job_id, attempt)

    async def attend(self, worker: str, models: Any) -> Mapping[str, int]:
        self._reach()
        self._told = frozenset(models)
        return await super().attend(worker, models)

    def serving_now(self) -> frozenset[str]:
        """What the worker last said it serves."""
        return self._told

    async def reap(self, *, counts: bool = True) -> Reaped:
        self._reach()
        self.sweeps += 1
        return await super().reap(counts=counts)


class FlakyStore(MemoryStore):
    """A memory store that can go away."""

    away = False
    refused = 0

    async def put(self, key: str, data: bytes, *, media_type: str, if_absent: bool = False) -> bool:
        if self.away:
            self.refused += 1
            raise StoreUnavailable("the store is away")
        return await super().put(key, data, media_type=media_type, if_absent=if_absent)

    async def get(self, key: str) -> bytes:
        if self.away:
            raise StoreUnavailable("the store is away")
        return await super().get(key)


class PlainStamper:
    """Stores without marking. `trouble` is raised instead, when there is any."""

    trouble: Exception | None = None

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.stamps = 0

    async def reserve(self, facts: Facts) -> int:
        return 0x0123456789AB

    async def deliver(self, stamped: Stamped, store: RecordStore, key: str) -> Stamped:
        return await self.keep(stamped, store, key)

    async def keep(self, stamped: Stamped, store: RecordStore, key: str) -> Stamped:
        await store.put(key, stamped.data, media_type="image/png", if_absent=True)
        self.delivered.append(key)
        return stamped

    def stamp(self, rgb_HWC: Picture, facts: Facts, mark_id: int) -> Stamped:
        return self.stamp_unreserved(rgb_HWC, facts)

    def stamp_unreserved(self, rgb_HWC: Picture, facts: Facts) -> Stamped:
        if self.trouble:
            raise self.trouble
        self.stamps += 1
        data = rgb_HWC.tobytes()
        height, width, _ = rgb_HWC.shape
        record = Record(
            watermark_id="0123456789ab",
            alg="test",
            key_id="test",
            manifest_id="urn:c2pa:test",
            job_id=facts.job_id,
            index=facts.index,
            tenant=facts.tenant,
            sha256=hashlib.sha256(data).hexdigest(),
            media_type="image/png",
            width=width,
            height=height,
            created_at=facts.created_at,
            thumbnail="",
        )
        return Stamped(
            data=data,
            media_type="image/png",
            sha256=hashlib.sha256(data).hexdigest(),
            width=width,
            height=height,
            watermark_id="0123456789ab",
            manifest_id="urn:c2pa:test",
            manifest=b"",
            record=record,
        )


class ScriptedEngine:
    """Holds works until the test moves them. An obedient one lets go of canceled jobs at once."""

    def __init__(self, relay: Relay, size: int = 4) -> None:
        self._relay = relay
        self._size = size
        self.works: dict[str, Work] = {}
        self.canceled: list[str] = []
        self.obedient = True

    def admit(self, work: Work) -> None:
        self.works[work.job_id] = work

    def cancel(self, job_id: str) -> None:
        self.canceled.append(job_id)
        if self.obedient:
            self.let_go(job_id)

    def room(self) -> int:
        return self._size - len(self.works)

    def let_go(self, job_id: str, device_seconds: float = 0.75) -> None:
        if work := self.works.pop(job_id, None):
            self._relay.on_canceled(work, device_seconds)

    def step(self, job_id: str, step: int = 1, steps: int = 20) -> None:
        self._relay.on_step(self.works[job_id], step, steps)

    def sketch(self, job_id: str, index: int = 0, rgb_HWC: Picture = PICTURE) -> None:
        self._relay.on_preview(self.works[job_id], index, rgb_HWC)

    def image(self, job_id: str, index: int = 0) -> None:
        self._relay.on_image(self.works[job_id], index, PICTURE)

    def finish(self, job_id: str, device_seconds: float = 1.5) -> None:
        """Hand over all images that were asked for, last first, as an engine may, and be done."""
        for index in reversed(range(len(self.works[job_id].plan.seeds))):
            self.image(job_id, index)
        self._relay.on_finished(self.works.pop(job_id), device_seconds)

    def fail(self, job_id: str, error: DarkroomError, device_seconds: float = 0.5) -> None:
        self._relay.on_failed(self.works.pop(job_id), error, device_seconds)


class Shop:
    """One worker's parts, and what tests do to them. To be built on the event loop it works on."""

    def __init__(
        self,
        rhythm: Rhythm = QUICK,
        patience: float = 5.0,
        size: int = 4,
        models: Sequence[str] = ("tiny",),
        checker: Scripted | None = None,
    ) -> None:
        self.clock = Clock()
        self.ledger = FlakyLedger(Rules(), self.clock)
        self.ledger.shown, self.ledger.may_show = [], asyncio.Event()
        self.ledger.may_show.set()
        self.store = FlakyStore()
        self.stamper = PlainStamper()
        self.relay = Relay(asyncio.get_running_loop())
        self.engine = ScriptedEngine(self.relay, size)
        self.metrics = Metrics()
        self.metrics.shown = True
        finisher = self.finisher = Finisher(self.stamper, self.store, "cpu", {"torch": "test"}, patience, self.metrics)
        catalog = fake_catalog()
        self.screening = finisher.screening = Screening(screen(*([checker] if checker else []), metrics=self.metrics))
        inputs = self.inputs = Inputs(self.store, patience, screening=self.screening)
        maps = MapMaker(inputs, Preprocessors(catalog.preprocessors, {}), catalog, self.store, patience)
        self.hand = self.relay.hand = Hand(self.ledger, self.engine, inputs, finisher, maps, patience, self.metrics)
        self.relay.viewer = Viewer(self.hand, self.ledger)
        self.intake = Intake(self.ledger, SilentBells(), self.hand, "worker-1", models, rhythm, self.metrics)

    async def submit(self, **changed: Any) -> str:
        return (await self.ledger.submit(submission("ann", job_id=str(ULID()), **changed))).job.id

    async def job(self, job_id: str) -> Job:
        return await self.ledger.get("ann", job_id)

    async def events(self, job_id: str) -> list[str]:
        return [event.name for event in await self.ledger.events(job_id)]

    async def generating(self, **changed: Any) -> str:
        """A job that the engine now has."""
        job_id = await self.submit(**changed)
        await until(lambda: job_id in self.engine.works)
        return job_id

    async def ended(self, job_id: str) -> Job:
        """The job once it has its last state and nobody here holds it."""
        async with asyncio.timeout(5):
            while not (await self.job(job_id)).state.terminal:
                await asyncio.sleep(0.001)
        await until(lambda: job_id not in {held.claim.job_id for held in self.hand})
        return await self.job(job_id)
