"""Sketches of unfinished pictures, on their way from the engine to those who look: made larger, encoded, shown.

All of it is advice. It takes one thread and one connection at a time, and what is not shown before the next sketch of
the same image comes is never shown.
"""

import asyncio
import io
from typing import Final

from PIL import Image

from darkroom.errors import LedgerUnavailable
from darkroom.ledger.previews import MOST_PREVIEW_BYTES
from darkroom.ledger.protocol import Ledger
from darkroom.log import get_logger
from worker.engine.request import Work
from worker.finish import Picture
from worker.hand import Hand
from worker.held import Held

LONGEST: Final = 512  # pixels along the longer side of what is shown
# Of the JPEG: the first whose bytes a ledger takes.
QUALITIES: Final = (80, 50, 20, 5)

log = get_logger(__name__)


class Viewer:
    """Lives on the event loop of its hand, and asks that one which jobs are still ours."""

    def __init__(self, hand: Hand, ledger: Ledger) -> None:
        self._hand = hand
        self._ledger = ledger
        self._waiting: dict[tuple[Held, int], Picture] = {}
        self._showing: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Sketches still to be shown, but for the one that is being shown."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        return self._showing is None or self._showing.done()

    def on_preview(self, work: Work, index: int, rgb_HWC: Picture) -> None:
        """Show it soon, in place of an earlier one that still waits."""
        held = self._hand.held(work)
        if held is None:
            return
        self._waiting[held, index] = rgb_HWC
        if self.idle:
            self._showing = asyncio.create_task(self._show_all(), name="previews")

    async def _show_all(self) -> None:
        """In the order in which they came to wait. A ledger that is away has missed them all."""
        while self._waiting:
            held, index = next(iter(self._waiting))
            rgb_HWC = self._waiting.pop((held, index))
            if not held.generating or held.dropped:
                continue
            try:
                await self._show(held, index, rgb_HWC)
            except LedgerUnavailable:
                self._waiting.clear()
            except Exception as error:  # noqa: BLE001  a fault of ours must not cost anybody a picture
                log.warning("preview.failed", job_id=held.claim.job_id, error=type(error).__name__)

    async def _show(self, held: Held, index: int, rgb_HWC: Picture) -> None:
        plan, claim = held.claim.generation, held.claim
        frame = await asyncio.to_thread(as_jpeg, rgb_HWC, min(LONGEST, max(plan.final_size)))
        await self._ledger.show_preview(claim.job_id, claim.attempt, index, frame)
        held.note_preview()


def as_jpeg(rgb_HWC: Picture, longest: int) -> bytes:
    """The picture with `longest` pixels along its longer side, as a JPEG that a ledger takes."""
    height, width, _ = rgb_HWC.shape
    scale = longest / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = Image.fromarray(rgb_HWC).resize(size, Image.Resampling.BICUBIC)
    for quality in QUALITIES:
        written = io.BytesIO()
        shown.save(written, "JPEG", quality=quality)
        if written.tell() <= MOST_PREVIEW_BYTES:
            break
    return written.getvalue()
