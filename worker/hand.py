"""The jobs in this worker's hand: what becomes of each, from its claim to its last word to the ledger.

Everything here runs on the one event loop of the worker. The engine's news arrive through `worker.relay`.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

from darkroom import crash
from darkroom.contract.job import JobState
from darkroom.contract.plan import Notice
from darkroom.contract.preprocess import PreprocessPlan
from darkroom.contract.start import FromNoise
from darkroom.errors import DarkroomError, LedgerUnavailable, NotFound, StaleAttempt, StoreUnavailable
from darkroom.ledger.protocol import Claim, Ledger, Outcome
from darkroom.log import get_logger
from darkroom.metrics import Metrics
from worker.engine.faults import fatal
from worker.engine.request import Work
from worker.finish import Finisher, Picture, failure
from worker.held import CANCELED, REQUEUED, Held
from worker.inputs import Inputs
from worker.journey import note_drop, note_end, note_use
from worker.partners import Generator, Maps
from worker.patience import patiently
from worker.screening import Withheld, gate_of

MAX_MAPS = 2  # one is made, the next one's picture is fetched
RELEASE_SECONDS = 1.0
PUT_OFF_SECONDS = 1.0  # so that a store away does not have its jobs go round and round

log = get_logger(__name__)

T = TypeVar("T")


class Hand:
    """`changed` is set at every step and whenever a job leaves: then there may be room for the next.

    `patience` is for how many seconds the last word on a job is tried while the ledger is away.
    """

    def __init__(
        self,
        ledger: Ledger,
        engine: Generator,
        inputs: Inputs,
        finisher: Finisher,
        maps: Maps,
        patience: float = 60.0,
        metrics: Metrics | None = None,
    ) -> None:
        self.changed = asyncio.Event()
        self._ledger = ledger
        self._engine = engine
        self._inputs = inputs
        self._finisher = finisher
        self._maps = maps
        self._patience = patience
        self._metrics = metrics or Metrics()
        self._held: dict[str, Held] = {}
        self._fault: Exception | None = None

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(tuple(self._held.values()))

    def room(self) -> int:
        """Generations to claim now: none while finished pictures pile up, as they do when the store is away.

        Raises: what broke the device, for the end of this process: the next one gets the jobs back.
        """
        if self._fault is not None:
            raise self._fault
        coming = sum(held.preparing is not None and not held.is_map for held in self)
        return 0 if self.stalled else max(0, self._engine.room() - coming)

    @property
    def stalled(self) -> bool:
        """Whether finished pictures pile up, so that no generation is taken."""
        return self._finisher.crowded

    def room_for_maps(self) -> int:
        """Control maps to claim now. They take no room of the engine, nor wait for any."""
        return max(0, MAX_MAPS - sum(held.is_map for held in self))

    def attempts(self) -> Mapping[str, int]:
        """Fencing tokens of the jobs whose leases are ours to renew."""
        return {held.claim.job_id: held.claim.attempt for held in self if not held.dropped}

    # --- in ----------------------------------------------------------------------------------------------------------

    async def take(self, claim: Claim) -> None:
        """Give a claimed job to the engine, or have its map made beside it.

        One whose earlier attempt is still leaving our engine goes back in line.
        """
        if claim.job_id in self._held:
            await self._release(claim)
            return
        claim = self._finisher.screening.guarded(claim)
        held = self._held[claim.job_id] = Held(claim, since=time.monotonic(), gate=gate_of(claim.plan))
        log.info("job.claimed", job_id=claim.job_id, attempt=claim.attempt, model=claim.plan.model)
        if claim.attempt == 1:
            self._metrics.claimed(model=claim.plan.model, priority=claim.plan.priority, waited=claim.waited)
        if isinstance(claim.plan, PreprocessPlan):
            held.preparing = asyncio.create_task(self._map(held, claim.plan), name=f"map-{claim.job_id}")
        elif isinstance(claim.plan.start, FromNoise) and not claim.plan.controls:
            self._engine.admit(Work(claim.job_id, claim.attempt, claim.plan))
        else:
            held.preparing = asyncio.create_task(self._prepare(held), name=f"inputs-{claim.job_id}")

    async def _prepare(self, held: Held) -> None:
        """Make the job's canvas and maps, then give it to the engine."""
        claim = held.claim
        prepared = await self._prepared(held, self._inputs.prepared(claim))
        if prepared is not None:
            held.preparing = None
            canvas, maps, looked_at = prepared
            held.verdicts, held.notices = looked_at.verdicts, [*looked_at.notices]
            self._engine.admit(Work(claim.job_id, claim.attempt, claim.generation, canvas, maps))

    async def _map(self, held: Held, plan: PreprocessPlan) -> None:
        """Make the job's map, which is all there is to it."""
        seconds = await self._prepared(held, self._maps.make(held.claim, plan))
        if seconds is not None:
            held.device_seconds = seconds
            self._end_prepared(held, Outcome(state=JobState.SUCCEEDED, device_seconds=seconds))

    async def _prepared(self, held: Held, work: Awaitable[T]) -> T | None:
        """What comes of `work`; a fault in it, or in the job's pictures, ends this job alone. One whose pictures
        cannot be had for now goes back in line."""
        try:
            return await work
        except StoreUnavailable:
            await self._put_off(held)
            return None
        except Exception as error:  # noqa: BLE001  a fault of ours: the job must still end
            outcome = self._broken(held, "preparing", error)
            if fatal(error):
                self._fault = error
                self.changed.set()
                return None
        self._end_prepared(held, outcome)
        return None

    def _end_prepared(self, held: Held, outcome: Outcome) -> None:
        held.preparing = None
        held.generating = False
        held.ending = asyncio.create_task(self._end(held, outcome))

    # --- news of the engine ------------------------------------------------------------------------------------------

    def on_notice(self, work: Work, notice: Notice) -> None:
        if held := self.held(work):
            held.notices.append(notice)

    def on_step(self, work: Work, step: int, steps: int) -> None:
        if held := self.held(work):
            held.note_step(step, steps)
        self.changed.set()

    def on_image(self, work: Work, index: int, rgb_HWC: Picture) -> None:
        if held := self.held(work):
            held.ancestry = held.ancestry or asyncio.create_task(self._finisher.ancestry(held.claim))
            picture = self._finisher.picture(held.claim, index, rgb_HWC, work.canvas, held.ancestry, held.gate)
            held.pictures.append(asyncio.create_task(picture, name=f"picture-{index}"))

    def on_finished(self, work: Work, device_seconds: float) -> None:
        if held := self._generated(work, device_seconds):
            held.ending = asyncio.create_task(self._succeed(held))

    def on_failed(self, work: Work, error: DarkroomError, device_seconds: float) -> None:
        if held := self._generated(work, device_seconds):
            held.ending = asyncio.create_task(self._end(held, failure(error, device_seconds)))

    def on_canceled(self, work: Work, device_seconds: float) -> None:
        self._generated(work, device_seconds)

    def held(self, work: Work) -> Held | None:
        """The job these news are about, unless it is not ours any more."""
        held = self._held.get(work.job_id)
        return held if held and held.claim.attempt == work.attempt and not held.dropped else None

    def _generated(self, work: Work, device_seconds: float) -> Held | None:
        """Note that the engine is done with a job; a dropped one leaves here."""
        held = self._held.get(work.job_id)
        if held is None or held.claim.attempt != work.attempt:
            return None
        held.generating, held.device_seconds = False, device_seconds
        if held.dropped:
            self._leave(held)
            return None
        return held

    # --- out ---------------------------------------------------------------------------------------------------------

    async def _succeed(self, held: Held) -> None:
        await self._tell_last_step(held)
        try:
            artifacts = await asyncio.gather(*held.pictures)
            if held.ancestry:
                held.notices += (await held.ancestry).notices
            outcome = self._finisher.success(
                held.claim.generation, artifacts, held.notices, held.device_seconds, held.verdicts
            )
        except Exception as error:  # noqa: BLE001  a fault of ours: the job must still end
            outcome = self._broken(held, "finishing", error)
        await self._end(held, outcome)

    def _broken(self, held: Held, doing: str, error: Exception) -> Outcome:
        """What becomes of a job that ended in `error`."""
        match error:
            case Withheld(verdicts=verdicts):
                return self._finisher.withheld(held.claim.plan, (*held.verdicts, *verdicts), held.device_seconds)
            case DarkroomError():
                return failure(error, held.device_seconds)
        log.error("job.broke", doing=doing, job_id=held.claim.job_id, exc_info=error)
        return failure(DarkroomError(f"{doing} broke: {type(error).__name__}"), held.device_seconds)

    async def _tell_last_step(self, held: Held) -> None:
        """Steps are told now and then; a job that succeeded was seen to make all of them."""
        if progress := held.unreported():
            held.reported = progress
            with suppress(LedgerUnavailable, StaleAttempt):  # the last word will find out, and waits longer
                await self._ledger.report((held.claim.job_id, held.claim.attempt, progress))

    async def _end(self, held: Held, outcome: Outcome) -> None:
        """Write the last word. A ledger away for too long loses it: the lease ends, and another attempt is made."""
        claim = held.claim
        held.ended = True
        held.stop_pictures()
        try:
            await patiently(self._patience, lambda: self._ledger.finish(claim.job_id, claim.attempt, outcome))
            crash.here("after_finish")
            note_end(self._metrics, claim, outcome)
            held.left_as = outcome.state.value
        except StaleAttempt:
            log.info("job.stale", job_id=claim.job_id, attempt=claim.attempt)
            held.left_as = await self._left_as(claim)
        except LedgerUnavailable:
            log.error("job.unfinished", job_id=claim.job_id, attempt=claim.attempt)
        finally:
            self._leave(held)

    async def _left_as(self, claim: Claim) -> str:
        """What a job was by the time the ledger took no last word for it."""
        with suppress(LedgerUnavailable, NotFound):
            if (await self._ledger.get(claim.tenant, claim.job_id)).state is JobState.CANCELED:
                return CANCELED
        return REQUEUED

    def drop(self, job_id: str, reason: str) -> None:
        """Forget a job that is not ours any more; the engine lets go of it at its next step.

        One whose last word is under way is left alone: the ledger will say whether it counts.
        """
        held = self._held.get(job_id)
        if held is None or held.dropped or held.ended:
            return
        note_drop(held.claim, held.span, reason)
        held.drop(CANCELED if reason == CANCELED else REQUEUED)
        if held.preparing is not None:
            held.preparing.cancel()
            self._leave(held)
        elif held.generating:
            self._engine.cancel(job_id)
        else:
            self._leave(held)

    async def hand_back(self, held: Held) -> None:
        """Put a job back in front of its line; the attempt does not count."""
        self.drop(held.claim.job_id, "handed back")
        await self._release(held.claim)

    async def _put_off(self, held: Held) -> None:
        """Hand back what has not begun. It leaves here last: a worker that drains waits for what it still holds."""
        log.info("job.put_off", job_id=held.claim.job_id, attempt=held.claim.attempt, reason="the store is away")
        await asyncio.sleep(PUT_OFF_SECONDS)
        held.dropped = True
        await self._release(held.claim)
        self._leave(held)

    async def _release(self, claim: Claim) -> None:
        with suppress(LedgerUnavailable):  # then its lease ends by itself
            await patiently(RELEASE_SECONDS, lambda: self._ledger.release(claim.job_id, claim.attempt))

    def _leave(self, held: Held) -> None:
        if self._held.get(held.claim.job_id) is held:
            del self._held[held.claim.job_id]
            note_use(self._metrics, held.claim, held.left_as, held.device_seconds)
        held.span.end()
        self.changed.set()
