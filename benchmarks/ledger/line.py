"""A line of jobs as a fleet has it: of several models, many tenants, and both priorities; the same on every run."""

import asyncio
import random
from collections.abc import Sequence
from itertools import islice

from ulid import ULID

from darkroom.catalog import open_catalog
from darkroom.contract.generation import TextToImage
from darkroom.contract.job import Artifact, JobState, Receipt
from darkroom.contract.plan import GenerationPlan
from darkroom.ledger.protocol import Claim, Ledger, Outcome, Submission
from darkroom.planner import plan
from darkroom.settings import Settings

MODELS = ("tiny", "portrait", "landscape", "sketch")
BULK = 4  # one job in so many
STEPS = (15, 20, 25, 30, 40, 50)
PROMPT = "a red circle above a blue square on a black background"
# As a worker tells them: of the length that they have, for their bytes count.
VERSIONS = {"python": "3.11.7", "torch": "2.12.0+cpu", "diffusers": "0.42.0", "transformers": "5.0.0", "numpy": "2.3.0"}
AT_ONCE = 16


class Line:
    """Where jobs come from. The first tenant floods: every second job is theirs, the others have as many each.

    `models` is what plans name; whether there is one by that name, no ledger asks.
    """

    def __init__(self, tenants: int, models: Sequence[str] = MODELS, seed: int = 0) -> None:
        self._dice = random.Random(seed)
        self._tenants = [f"tenant-{number}" for number in range(tenants)]
        self._models = models
        self._plans = _plans()
        self._made = 0

    def next(self) -> Submission:
        self._made += 1
        number, ours = divmod(self._made, 2)
        tenant = self._tenants[0 if ours else 1 + number % (len(self._tenants) - 1)]
        return Submission(
            job_id=str(ULID()), tenant=tenant, plan=self._plan(), idempotency_key=str(ULID()), body_hash="ab" * 32
        )

    def _plan(self) -> GenerationPlan:
        priority = "bulk" if self._dice.randrange(BULK) == 0 else "interactive"
        named = {"model": self._dice.choice(self._models), "priority": priority}
        return self._dice.choice(self._plans).model_copy(update=named)

    async def fill(self, ledger: Ledger, jobs: int) -> None:
        """Put so many more into the ledger."""
        coming = (self.next() for _ in range(jobs))
        while some := list(islice(coming, AT_ONCE)):
            await asyncio.gather(*map(ledger.submit, some))


def _plans() -> list[GenerationPlan]:
    """Of one picture each, as the embedded model's are: with the hashes of its weights and a prompt of some length."""
    catalog = open_catalog(Settings())
    return [plan(TextToImage(prompt=PROMPT, steps=steps, seed=steps), catalog, now=0.0) for steps in STEPS]


def succeeded(claim: Claim) -> Outcome:
    """An end as a worker tells it, receipt and picture included; it took what it was expected to take."""
    made = claim.generation
    seconds = made.predicted_seconds
    picture = Artifact(
        index=0,
        key=f"images/{claim.job_id}/0.png",
        media_type="image/png",
        bytes=30_000,
        sha256="cd" * 32,
        width=made.width,
        height=made.height,
        seed=made.seeds[0],
        watermark_id="0123456789ab",
        manifest_id="urn:c2pa:" + "0" * 36,
    )
    receipt = Receipt(plan=made, versions=VERSIONS, device="cpu (x86_64)", device_seconds=seconds)
    return Outcome(state=JobState.SUCCEEDED, artifacts=(picture,), receipt=receipt, device_seconds=seconds)
