"""What the operator demands of a tenant's generations."""

import json

from darkroom.contract.safety import SafetyPolicy
from darkroom.settings import Settings
from darkroom.settings.safety import Policies


def floor(settings: Settings) -> SafetyPolicy:
    """What holds for everybody."""
    return _policy(settings.safety)


def demanded(settings: Settings, tenant: str) -> SafetyPolicy:
    """What holds for the tenant, whatever it asks for."""
    own = settings.tenant_safety.get(tenant)
    return floor(settings).stricter(_policy(own)) if own else floor(settings)


def bar(settings: Settings, policy: SafetyPolicy) -> str:
    """What pictures that something begins with must have passed, as far as settings say; nothing where none is kept
    back."""
    if policy.input != "block":
        return ""
    return json.dumps(["block", settings.safety_threshold, sorted(settings.safety_thresholds.items())])


def strictest_of_all(settings: Settings) -> SafetyPolicy:
    """What must be able to be kept here: at each stage the strictest that holds for anybody."""
    policy = floor(settings)
    for own in settings.tenant_safety.values():
        policy = policy.stricter(_policy(own))
    return policy


def _policy(policies: Policies) -> SafetyPolicy:
    return SafetyPolicy(**policies.model_dump(exclude_none=True))
