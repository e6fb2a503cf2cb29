"""One job that this worker holds, from its claim to its last word to the ledger."""

import asyncio
from dataclasses import dataclass, field

from opentelemetry.trace import Span

from darkroom import tracing
from darkroom.contract.job import Artifact, Progress
from darkroom.contract.plan import Notice
from darkroom.contract.preprocess import PreprocessPlan
from darkroom.contract.safety import SafetyVerdict
from darkroom.ledger.protocol import Claim
from worker.lineage import Ancestry
from worker.screening import Gate

# What an attempt leaves that was not the last: handed back, or overtaken by another.
REQUEUED = "requeued"
CANCELED = "canceled"


@dataclass(eq=False)
class Held:
    """`preparing` while its pictures are read; `generating` from its claim until the engine is done with it; after that
    its pictures are marked, signed and stored.

    `dropped`: the ledger gave the job to somebody else, or its owner canceled it; nothing more is written for it.
    `ended`: its last word is on the way to the ledger. `gate`: at which its pictures wait for each other, if they do.
    `verdicts`: what was found in its inputs. `device_seconds`: what the attempt has cost, once that is known.
    `left_as`: what the attempt has made of its job when it leaves. Times are by CLOCK_MONOTONIC.
    """

    claim: Claim
    since: float
    gate: Gate | None = None
    verdicts: tuple[SafetyVerdict, ...] = ()
    span: Span = field(default_factory=tracing.current)
    generating: bool = True
    dropped: bool = False
    ended: bool = False
    device_seconds: float = 0.0
    left_as: str = REQUEUED
    previews: int = 0
    progress: Progress | None = None
    reported: Progress | None = None
    notices: list[Notice] = field(default_factory=list)
    ancestry: asyncio.Task[Ancestry] | None = None
    pictures: list[asyncio.Task[Artifact]] = field(default_factory=list)
    preparing: asyncio.Task[None] | None = None
    ending: asyncio.Task[None] | None = None

    @property
    def is_map(self) -> bool:
        """Whether this is a control map asked for by itself, which the engine never hears of."""
        return isinstance(self.claim.plan, PreprocessPlan)

    def note_step(self, step: int, steps: int) -> None:
        self.progress = Progress(step=step, steps=steps, previews=self.previews)

    def note_preview(self) -> None:
        """One more frame is there to be seen; the next report says so."""
        self.previews += 1
        if self.progress is not None:
            self.note_step(self.progress.step, self.progress.steps)

    def unreported(self) -> Progress | None:
        return self.progress if self.progress != self.reported else None

    def remaining(self, now: float) -> float:
        """Seconds of generation still to come: by its own pace once it has one, else as planned."""
        if not self.generating:
            return 0.0
        if self.progress is None or self.progress.step == 0:
            return self.claim.plan.predicted_seconds
        done = self.progress.step
        return (now - self.since) / done * (self.progress.steps - done)

    def drop(self, left_as: str) -> None:
        """Stop working on its pictures and on its end."""
        self.dropped, self.left_as = True, left_as
        self.stop_pictures()
        if self.ending:
            self.ending.cancel()

    def stop_pictures(self) -> None:
        """Let go of pictures that nobody will wait for any more, and of what became of them."""
        for task in (*self.pictures, *([self.ancestry] if self.ancestry else [])):
            if not task.cancel() and not task.cancelled():
                task.exception()
