"""From raw pixels to stored, proven artifacts, off the engine's thread; and the outcome that the ledger is told."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from darkroom.contract.job import Artifact, Failure, JobState, Plan, Receipt, picture_key
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.safety import SafetyVerdict
from darkroom.errors import DarkroomError, GenerationBlocked, StoreUnavailable
from darkroom.ledger.protocol import Claim, Outcome
from darkroom.metrics import Metrics
from darkroom.provenance import Facts, Stamped
from darkroom.provenance.issuing import Issue, Stamping
from darkroom.storage.protocol import ObjectStore
from darkroom.tracing import span
from worker.delivery import Delivery
from worker.lineage import NONE, Ancestry, Lineage
from worker.patience import patiently
from worker.pictures.canvas import BLANK, Canvas
from worker.remarks import raised, unseen, untimed, weak
from worker.screening import Gate, Screening
from worker.spool import SpoolFull

# In memory, between their last step and the store or the spool.
MAX_PENDING_PICTURES = 32

Picture = NDArray[np.uint8]  # H x W x 3, RGB
Views = tuple[Picture, ...]  # one picture, and parts of it that are to be looked at by themselves


class Finisher:
    """`device` and `versions` go into every receipt.

    While the store is away, pictures wait on disk with `delivery`, for as long as it takes. While that is None, where
    the disk has no room, and while whoever signs is away, they wait in memory and fail their job after `patience`
    seconds. `screening` looks at them before.
    """

    def __init__(
        self,
        stamper: Stamping,
        store: ObjectStore,
        device: str,
        versions: Mapping[str, str],
        patience: float = 60.0,
        metrics: Metrics | None = None,
        lineage: Lineage | None = None,
    ) -> None:
        self._stamper = stamper
        self._store = store
        self._device = device
        self._versions = dict(versions)
        self._patience = patience
        self._metrics = metrics or Metrics()
        self._lineage = lineage
        self.delivery: Delivery | None = None
        self.screening = Screening()
        self._in_memory = 0
        self._unplaced: set[str] = set()  # keys of those that neither the store nor the disk takes

    @property
    def crowded(self) -> bool:
        """Whether so many pictures wait for the store, here or on disk, that no more should be generated."""
        full = bool(self._unplaced) or (self.delivery is not None and self.delivery.high)
        return full or self._in_memory >= MAX_PENDING_PICTURES

    async def ancestry(self, claim: Claim) -> Ancestry:
        """What the job's inputs are, for all of its images; waits for the store that has them."""
        return await self._lineage.of(claim) if self._lineage else NONE

    async def picture(
        self,
        claim: Claim,
        index: int,
        rgb_HWC: Picture,
        canvas: Canvas = BLANK,
        ancestry: Awaitable[Ancestry] | None = None,
        gate: Gate | None = None,
    ) -> Artifact:
        """Lay image `index` of a job over what stays of its canvas, look at it, stamp it and store it. At a `gate` it
        waits for the others of its job.

        Nothing is stored that did not read back. Where an earlier attempt has stored this picture, that one counts.
        Raises: UnmarkedOutput, UnsignedOutput, SigningUnavailable, StoreError, StoreUnavailable; Withheld,
            SafetyUnavailable.
        """
        facts = await self._facts(claim, index, ancestry)
        key = picture_key(claim.job_id, claim.generation, index)
        timed = self._metrics.finish_seconds.labels(claim.generation.output_format).time()
        with span("finish", {"darkroom.image": index}), timed:
            finishing: list[Callable[[], Views]] = [partial(_finished, canvas, rgb_HWC)]
            del rgb_HWC, canvas  # whoever waits for the store holds no pixels
            issued, verdict = await self._issued(finishing, facts, key, gate)
            stamped = await issued if isinstance(issued, asyncio.Future) else issued
        if stamped.timestamped is False:
            self._metrics.untimed.inc()
        return _artifact(stamped, facts, key, verdict)

    async def _facts(self, claim: Claim, index: int, ancestry: Awaitable[Ancestry] | None) -> Facts:
        """Counted as a picture in memory meanwhile: whoever waits here for the store holds its pixels."""
        self._in_memory += 1
        try:
            inputs = (await ancestry).inputs if ancestry else ()
        finally:
            self._in_memory -= 1
        return Facts(
            job_id=claim.job_id,
            index=index,
            tenant=claim.tenant,
            plan=claim.generation,
            seed=claim.generation.seeds[index],
            created_at=time.time(),
            versions=self._versions,
            inputs=inputs,
        )

    async def _issued(
        self, finishing: list[Callable[[], Views]], facts: Facts, key: str, gate: Gate | None
    ) -> "tuple[Stamped | asyncio.Future[Stamped], SafetyVerdict | None]":
        """What is stored, or on disk and will be, and what was found in it. Takes what makes the picture out of its
        list, the one place that holds its pixels."""
        self._in_memory += 1
        try:
            (rgb_HWC, *closer), policy = await asyncio.to_thread(finishing.pop()), facts.plan.safety.output
            verdict = (await self.screening.look("output", policy, f"images.{facts.index}", rgb_HWC, *closer)).verdict
            del closer
            if gate and verdict:
                await gate.passed(verdict)
            issue = Issue(self._stamper, rgb_HWC, facts)
            del rgb_HWC
            return await patiently(self._patience, lambda: self._stored_or_spooled(issue, key)), verdict
        finally:
            self._in_memory -= 1
            self._unplaced.discard(key)

    async def _stored_or_spooled(self, issue: Issue, key: str) -> "Stamped | asyncio.Future[Stamped]":
        try:
            return await issue.stored(self._store, key)
        except StoreUnavailable:
            if self.delivery is None:
                raise
            if self.delivery.room < issue.size:
                self._unplaced.add(key)
                raise
            try:
                return await self.delivery.accept(key, await issue.unstored())
            except SpoolFull as error:
                self._unplaced.add(key)
                raise StoreUnavailable("the store is away, and the spool is full") from error

    def success(
        self,
        plan: GenerationPlan,
        artifacts: Sequence[Artifact],
        notices: Sequence[Notice],
        device_seconds: float,
        verdicts: Sequence[SafetyVerdict] = (),
    ) -> Outcome:
        """`notices` are what only the model could tell; the receipt shows them and ours beside the planner's.
        `verdicts` are of the inputs."""
        pictures = tuple(sorted(artifacts, key=lambda artifact: artifact.index))
        notices = (*notices, *raised(plan, pictures), *weak(pictures), *untimed(pictures), *unseen(plan, pictures))
        told = plan.model_copy(update={"warnings": (*plan.warnings, *notices)})
        receipt = self._receipt(told, (*verdicts, *(each.safety for each in pictures if each.safety)), device_seconds)
        return Outcome(state=JobState.SUCCEEDED, artifacts=pictures, receipt=receipt, device_seconds=device_seconds)

    def withheld(self, plan: Plan, verdicts: tuple[SafetyVerdict, ...], device_seconds: float) -> Outcome:
        """A job of which nothing may be shown: no picture of it is stored."""
        reason = "; ".join(verdict.reason for verdict in verdicts if verdict.action == "blocked")
        return Outcome(
            state=JobState.BLOCKED,
            receipt=self._receipt(plan, verdicts, device_seconds) if isinstance(plan, GenerationPlan) else None,
            failure=Failure(code=GenerationBlocked.code, message=reason, retryable=GenerationBlocked.retryable),
            device_seconds=device_seconds,
        )

    def _receipt(self, plan: GenerationPlan, verdicts: Sequence[SafetyVerdict], device_seconds: float) -> Receipt:
        return Receipt(
            plan=plan,
            versions=self._versions,
            device=self._device,
            device_seconds=device_seconds,
            safety=(*plan.safety.verdicts, *verdicts),
        )


def _finished(canvas: Canvas, rgb_HWC: Picture) -> Views:
    finished_HWC = canvas.finished(rgb_HWC)
    return finished_HWC, *canvas.close_ups(finished_HWC)


def _artifact(stamped: Stamped, facts: Facts, key: str, verdict: SafetyVerdict | None) -> Artifact:
    return Artifact(
        index=facts.index,
        key=key,
        media_type=stamped.media_type,
        bytes=len(stamped.data),
        sha256=stamped.sha256,
        width=stamped.width,
        height=stamped.height,
        seed=facts.seed,
        watermark_id=stamped.watermark_id,
        manifest_id=stamped.manifest_id,
        quality=stamped.quality,
        weak_mark=stamped.record.weak,
        parents=stamped.record.parents,
        timestamped=stamped.timestamped,
        safety=verdict,
    )


def failure(error: DarkroomError, device_seconds: float = 0.0) -> Outcome:
    """An attempt that ends its job without pictures."""
    why = Failure(code=error.code, message=error.detail, retryable=error.retryable)
    return Outcome(state=JobState.FAILED, failure=why, device_seconds=device_seconds)
