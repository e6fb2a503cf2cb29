"""Pictures that are looked at on their way in and out, on threads that are neither the engine's nor the stampers'."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from darkroom import crash
from darkroom.contract.job import Plan
from darkroom.contract.plan import GenerationPlan
from darkroom.contract.safety import CheckerSeen, Policy, SafetyPolicy, SafetyVerdict, Stage
from darkroom.ledger.protocol import Claim
from darkroom.metrics import Metrics
from darkroom.safety.judging import Thresholds
from darkroom.safety.lookers import Lookers
from darkroom.safety.policies import demanded
from darkroom.safety.protocol import Pixels
from darkroom.safety.screening import UNSEEN, Finding, Screen
from darkroom.services.screens import refuse_unkept, thresholds
from darkroom.settings import Settings
from darkroom.tracing import span
from worker.machine import finishing_threads
from worker.safety.building import picture_checkers

# That a look may take, and that none in front of it may begin: far beyond the slowest checker on a busy machine.
HUNG_SECONDS: Final = 300.0


class Withheld(Exception):
    """Something was flagged where nothing that is may go on. `verdicts` are all of what was looked at together."""

    def __init__(self, verdicts: tuple[SafetyVerdict, ...]) -> None:
        super().__init__("withheld")
        self.verdicts = verdicts


class Gate:
    """Holds the pictures of one job until all of them were looked at: one that is flagged keeps back the others."""

    def __init__(self, images: int) -> None:
        self._images = images
        self._verdicts: list[SafetyVerdict] = []
        self._complete = asyncio.Event()

    async def passed(self, verdict: SafetyVerdict) -> None:
        """Returns when all have passed; one that never comes is for whoever waits to give up. Raises: Withheld."""
        self._verdicts.append(verdict)
        if len(self._verdicts) >= self._images:
            self._complete.set()
        await self._complete.wait()
        crash.here("after_verdict")
        refuse_blocked(tuple(sorted(self._verdicts, key=lambda each: (len(each.subject), each.subject))))


def gate_of(plan: Plan) -> Gate | None:
    """None where pictures need not wait for each other."""
    return Gate(len(plan.seeds)) if isinstance(plan, GenerationPlan) and plan.safety.output == "block" else None


def refuse_blocked(verdicts: tuple[SafetyVerdict, ...]) -> None:
    """Raises: Withheld."""
    if any(verdict.action == "blocked" for verdict in verdicts):
        raise Withheld(verdicts)


def nothing_demanded(tenant: str) -> SafetyPolicy:
    return SafetyPolicy()


class Screening:
    """`demanded_of` is what this worker's own settings demand for a tenant, whatever the gateway's did: a job may have
    waited since before they were changed."""

    def __init__(
        self,
        screen: Screen[Pixels] | None = None,
        demanded_of: Callable[[str], SafetyPolicy] = nothing_demanded,
        lookers: Lookers | None = None,
    ) -> None:
        self._screen = screen or Screen((), Thresholds(), Metrics())
        self._demanded_of = demanded_of
        self._lookers = lookers or Lookers(1, "screening", HUNG_SECONDS)

    def guarded(self, claim: Claim) -> Claim:
        """The claim, its pictures at each stage under the stricter of its plan's policy and ours. What may be blocked
        has no sketches. Its words were looked at, or not, before it was ours."""
        plan = claim.plan
        policy = plan.safety.stricter(self._demanded_of(claim.tenant))
        safety = plan.safety.model_copy(update=policy.model_dump(exclude={"prompt"}))
        if safety == plan.safety:
            return claim
        changes: dict[str, object] = {"safety": safety}
        if isinstance(plan, GenerationPlan) and policy.output == "block":
            changes["previews"] = False
        return claim.model_copy(update={"plan": plan.model_copy(update=changes)})

    @property
    def checkers(self) -> tuple[CheckerSeen, ...]:
        return self._screen.checkers

    async def look(self, stage: Stage, policy: Policy, subject: str, *views_HWC: Pixels) -> Finding:
        """What was found in views of one picture. Raises: SafetyUnavailable, where nothing unseen may go on."""
        if policy == "off":
            return UNSEEN
        with span("look", {"darkroom.stage": stage}):
            look = partial(self._screen.look, stage, policy, subject, *views_HWC)
            return await self._lookers.asked(look) or self._screen.unanswered(stage, policy, subject)


def open_screening(settings: Settings, metrics: Metrics, stuck: Callable[[], None]) -> Screening:
    """`stuck` is called where nothing can be looked at any more, since every look hangs.

    Raises: ConfigurationError, also for a policy that nobody here could keep.
    """
    checkers = picture_checkers(settings)
    refuse_unkept(settings, ("input", "output"), checkers)
    threads = finishing_threads(waits=settings.safety_hook_url is not None)
    screen: Screen[Pixels] = Screen(checkers, thresholds(settings), metrics)
    return Screening(screen, partial(demanded, settings), Lookers(threads, "screening", HUNG_SECONDS, stuck))
