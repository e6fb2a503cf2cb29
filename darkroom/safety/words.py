"""Prompts that are looked at while their callers wait, off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from darkroom.contract.safety import Policy
from darkroom.safety.screening import UNSEEN, Finding, Screen

# Most of them wait for somebody's service, if for anything.
THREADS: Final = 16


class WordScreen:
    """Its threads are its own: a slow checker holds up nobody's pictures."""

    def __init__(self, screen: Screen[str]) -> None:
        self.screen = screen
        self._threads = ThreadPoolExecutor(THREADS, "words")

    async def look(self, policy: Policy, prompt: str) -> Finding:
        """Raises: SafetyUnavailable, where nothing unseen may go on."""
        if policy == "off":
            return UNSEEN
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.screen.look, "prompt", policy, "prompt", prompt)

    async def close(self) -> None:
        """Leave those who are still being asked to their time-outs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
