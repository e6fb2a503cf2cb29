"""Carries the engine's news from its thread to the worker's event loop, in order."""

import asyncio
from collections.abc import Callable
from typing import Any

from darkroom.contract.plan import Notice
from darkroom.errors import DarkroomError
from worker.engine.request import Work
from worker.finish import Picture
from worker.hand import Hand
from worker.viewer import Viewer


class Relay:
    """The engine's Listener. Its methods return at once, so the engine never waits for Redis, disk or CPU.

    The engine needs it before hand and viewer, which it serves, exist, so those are named later.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.hand: Hand
        self.viewer: Viewer

    def on_notice(self, work: Work, notice: Notice) -> None:
        self._tell(self.hand.on_notice, work, notice)

    def on_step(self, work: Work, step: int, steps: int) -> None:
        self._tell(self.hand.on_step, work, step, steps)

    def on_preview(self, work: Work, index: int, rgb_HWC: Picture) -> None:
        self._tell(self.viewer.on_preview, work, index, rgb_HWC)

    def on_image(self, work: Work, index: int, rgb_HWC: Picture) -> None:
        self._tell(self.hand.on_image, work, index, rgb_HWC)

    def on_finished(self, work: Work, device_seconds: float) -> None:
        self._tell(self.hand.on_finished, work, device_seconds)

    def on_failed(self, work: Work, error: DarkroomError, device_seconds: float) -> None:
        self._tell(self.hand.on_failed, work, error, device_seconds)

    def on_canceled(self, work: Work, device_seconds: float) -> None:
        self._tell(self.hand.on_canceled, work, device_seconds)

    def _tell(self, callback: Callable[..., None], work: Work, *arguments: Any) -> None:
        """In the context in which the work was begun, so that what follows from it belongs to its trace."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, work, *arguments, context=work.context.copy())
