"""Settings of what is looked at before words and pictures go on."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

Policy = Literal["off", "annotate", "block"]
_LAXEST_FIRST: Final[tuple[Policy, ...]] = ("off", "annotate", "block")


class Policies(BaseModel):
    """At each stage; one that is left out has that of the service, which is `off` where nobody says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Policy | None = None
    input: Policy | None = None
    output: Policy | None = None

    def laxer_than(self, floor: "Policies") -> str:
        """The first stage at which this takes away what `floor` demands; empty for none."""
        for stage, policy in self:
            least = getattr(floor, stage) or "off"
            if policy is not None and _LAXEST_FIRST.index(policy) < _LAXEST_FIRST.index(least):
                return stage
        return ""


class Safety(BaseSettings):
    """Who is guarded how strictly."""

    safety: Policies = Field(
        default_factory=Policies,
        description="what becomes of what checkers flag, for everybody: `off`, `annotate` or `block`, at the stages"
        ' `prompt`, `input` and `output`, as `{"prompt": "block", "output": "annotate"}`; `off` if left out',
    )
    tenant_safety: dict[str, Policies] = Field(
        default_factory=dict,
        description="tenant -> the same, for it alone: stricter than `safety` at some stages, never laxer",
    )

    @field_validator("tenant_safety")
    @classmethod
    def _none_laxer(cls, given: dict[str, Policies], known: ValidationInfo) -> dict[str, Policies]:
        floor: Policies = known.data.get("safety", Policies())
        for tenant, policies in given.items():
            if stage := policies.laxer_than(floor):
                least, policy = getattr(floor, stage), getattr(policies, stage)
                raise ValueError(f"{tenant!r} has {stage} {policy!r}, and DARKROOM_SAFETY has {least!r} for everybody")
        return given
