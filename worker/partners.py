"""What the hand needs of those who make what it was asked for."""

from typing import Protocol

from darkroom.contract.preprocess import PreprocessPlan
from darkroom.ledger.protocol import Claim
from worker.engine.request import Work


class Maps(Protocol):
    """Whoever makes control maps."""

    async def make(self, claim: Claim, plan: PreprocessPlan) -> float:
        """Make and keep it; says how many seconds the making took."""
        ...


class Generator(Protocol):
    """An engine; every method may be called from any thread."""

    def admit(self, work: Work) -> None: ...

    def cancel(self, job_id: str) -> None: ...

    def room(self) -> int: ...
