"""Prompts that are looked at while their callers wait, off the event loop."""

from functools import partial
from typing import Final

from darkroom.contract.safety import Policy
from darkroom.safety.lookers import Lookers
from darkroom.safety.screening import UNSEEN, Finding, Screen

# Most of them wait for somebody's service, if for anything.
THREADS: Final = 16
# Beyond the longest that a service may be given for an answer.
HUNG_SECONDS: Final = 90.0


class WordScreen:
    """Its threads are its own: a slow checker holds up nobody's pictures."""

    def __init__(self, screen: Screen[str], threads: int = THREADS, hung: float = HUNG_SECONDS) -> None:
        self.screen = screen
        self._lookers = Lookers(threads, "words", hung)

    async def look(self, policy: Policy, prompt: str) -> Finding:
        """Raises: SafetyUnavailable, where nothing unseen may go on."""
        if policy == "off":
            return UNSEEN
        look = partial(self.screen.look, "prompt", policy, "prompt", prompt)
        return await self._lookers.asked(look) or self.screen.unanswered("prompt", policy, "prompt")

    async def close(self) -> None:
        """Leave those who are still being asked to their time-outs."""
        self._lookers.close()
