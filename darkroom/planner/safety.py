"""A settled plan under the policy that holds for it."""

from collections.abc import Iterator

from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.safety import PlannedSafety, SafetyAsked, SafetyPolicy
from darkroom.safety.screening import UNSEEN, Finding

_FIELD = "safety."


def guarded(
    plan: GenerationPlan, demanded: SafetyPolicy, asked: SafetyAsked, found: Finding = UNSEEN
) -> GenerationPlan:
    """`plan` under the stricter of what is demanded of its tenant and what its request asked for. `found`: in its
    prompt.

    Where pictures may be blocked there are no sketches of them: those would be seen before anybody has looked.
    """
    policy = demanded.stricter(asked.policy)
    safety = PlannedSafety(
        **policy.model_dump(), asked=asked, verdicts=(found.verdict,) if found.verdict is not None else ()
    )
    # What an earlier generation was told, of which this is made again, holds no more.
    others = [notice for notice in plan.warnings if not notice.field.startswith(_FIELD)]
    hidden = policy.output == "block"
    warnings = (*others, *_notices(plan, policy, demanded, asked, found))
    return plan.model_copy(update={"safety": safety, "previews": plan.previews and not hidden, "warnings": warnings})


def _notices(
    plan: GenerationPlan, policy: SafetyPolicy, demanded: SafetyPolicy, asked: SafetyAsked, found: Finding
) -> Iterator[Notice]:
    for stage in asked.laxer_than(demanded):
        yield Notice(field=_FIELD + stage, reason=f"is {demanded.at(stage)!r} for everything that you ask for")
    if policy.prompt == "annotate" and plan.prompt and (found.silent or found.verdict is None):
        why = f"{', '.join(found.silent)} did not answer" if found.silent else "there is nothing here that could"
        yield Notice(field=_FIELD + "prompt", reason=f"the prompt was not looked at as it should be: {why}")
    if policy.output == "block" and plan.previews:
        yield Notice(field="previews", reason="none are made where pictures are looked at before they are shown")
