"""A generation's prompt, looked at before anything else is done for it.

The negative prompt is not: it names what is not to be seen, and whoever keeps things out by it is not to be refused.
Unless a weight in it is below zero, which turns that round: kept away from the opposite of something is led to it.
"""

from api.desk import Desks
from darkroom.contract.safety import Policy
from darkroom.errors import GenerationBlocked
from darkroom.log import get_logger
from darkroom.prompt import parse
from darkroom.safety.screening import UNSEEN, Finding
from darkroom.services import Services

_log = get_logger(__name__)


def asked_for(prompt: str, negative_prompt: str) -> str:
    """The words of what is to be seen."""
    pieces = (piece for section in parse(negative_prompt).sections for piece in section)
    return f"{prompt}\n{negative_prompt}" if any(piece.weight < 0 for piece in pieces) else prompt


async def looked_at(services: Services, desks: Desks, tenant: str, policy: Policy, prompt: str) -> Finding:
    """What was found in the prompt, which may go on.

    Raises: GenerationBlocked; SafetyUnavailable; CapacityError, TenantLimit where too many wait for it.
    """
    if policy == "off" or not prompt:
        return UNSEEN
    with desks.words.of(tenant):
        found = await services.words.look(policy, prompt)
    if found.verdict and found.verdict.action == "blocked":
        checkers = [checker.name for checker in found.verdict.checkers]
        _log.info("prompt.blocked", tenant=tenant, categories=list(found.verdict.reached), checkers=checkers)
        raise GenerationBlocked(found.verdict.reason)
    return found
