"""What is looked at before words and pictures go on, how strictly, and what was found."""

from typing import Final, Literal, get_args

from pydantic import Field

from darkroom.contract.base import Asked, Settled

Policy = Literal["off", "annotate", "block"]
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)  # the laxest first
Stage = Literal["prompt", "input", "output"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)


def strictest(*policies: Policy) -> Policy:
    return max(policies, key=POLICIES.index)


class SafetyPolicy(Settled):
    """What becomes of a generation's words, of the pictures it begins with, and of those that come out.

    `off`: nobody looks. `annotate`: what was found is told, and changes nothing. `block`: what is flagged goes no
    further, and neither does what could not be looked at.
    """

    prompt: Policy = "off"
    input: Policy = "off"
    output: Policy = "off"

    def at(self, stage: Stage) -> Policy:
        policy: Policy = getattr(self, stage)
        return policy

    def stricter(self, other: "SafetyPolicy") -> "SafetyPolicy":
        """At each stage the stricter of both."""
        return SafetyPolicy(**{stage: strictest(self.at(stage), other.at(stage)) for stage in STAGES})


class SafetyAsked(Asked):
    """Have more looked at, or more strictly, than this service does for you anyway; it never looks at less."""

    prompt: Policy | None = None
    input: Policy | None = None
    output: Policy | None = None

    @property
    def policy(self) -> SafetyPolicy:
        return SafetyPolicy(**self.model_dump(exclude_none=True))

    def laxer_than(self, demanded: SafetyPolicy) -> tuple[Stage, ...]:
        """The stages at which less is asked for than is demanded."""
        asked = [(stage, getattr(self, stage)) for stage in STAGES]
        return tuple(s for s, policy in asked if policy is not None and strictest(policy, demanded.at(s)) != policy)


class CheckerSeen(Settled):
    """Who looked; `version` changes with what it knows."""

    name: str
    version: str


class SafetyVerdict(Settled):
    """What the checkers found in one text or picture. Scores are from 0 to 1, of several checkers the highest."""

    stage: Stage
    subject: str = Field(description="what was looked at: a field of the request, or `images.0` of what came out")
    flagged: bool
    categories: dict[str, float] = Field(description="score by category, of all that were looked for")
    reached: dict[str, float] = Field(description="threshold by category, of those whose score reaches it")
    checkers: tuple[CheckerSeen, ...]
    action: Literal["passed", "annotated", "blocked"] = Field(
        description="`annotated`: it was flagged, and went on all the same"
    )

    @property
    def reason(self) -> str:
        """In words, which never hold what was looked at: a list of words is not told to who guesses at it."""
        found = ", ".join(
            f"{name} {self.categories[name]:.2f} (threshold {low:.2f})" for name, low in self.reached.items()
        )
        return f"{self.subject.replace('images.', 'image ')} was flagged: {found}"


class PlannedSafety(SafetyPolicy):
    """The policy that holds for one job, and what was found in its words. `asked`: the part of it that the request
    itself wanted, for when the operator's changes and the job is made again."""

    asked: SafetyAsked = SafetyAsked()
    verdicts: tuple[SafetyVerdict, ...] = ()


UNGUARDED: Final = PlannedSafety()
