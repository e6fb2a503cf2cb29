"""Preview frames of a running job -> partial images: few, spread over the steps, as large as the picture will be."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from io import BytesIO

from PIL import Image

from api.dialects.openai.answers import shown_size
from darkroom.contract.job import Job, JobEvent
from darkroom.contract.plan import GenerationPlan
from darkroom.errors import NotFound
from darkroom.ledger.protocol import Ledger


class Sketches:
    """Of one job, at most `most` of each picture."""

    def __init__(self, ledger: Ledger, job: Job, most: int) -> None:
        self._ledger, self._job, self._most = ledger, job, most
        self._level = 0  # of the `most + 1` parts of the way, how many are behind
        self._sent = 0
        self._seen = 0

    async def due(self, events: Sequence[JobEvent]) -> AsyncIterator[tuple[int, str]]:
        """(its number, base64) of each that is to be shown after these events. Raises: LedgerUnavailable."""
        if not self._advanced(events):
            return
        for index in range(len(self._job.generation.seeds)):
            try:
                frame = await self._ledger.preview(self._job.tenant, self._job.id, index)
            except NotFound:
                continue
            yield self._sent, await asyncio.to_thread(enlarged, frame, self._job.generation)
        self._sent += 1

    def _advanced(self, events: Sequence[JobEvent]) -> bool:
        progress = [event.data for event in events if event.name == "progress"]
        if not progress or self._sent >= self._most:
            return False
        step, steps, frames = (int(str(progress[-1].get(name, 0))) for name in ("step", "steps", "previews"))
        level = step * (self._most + 1) // max(steps, 1)
        if level <= self._level or frames == self._seen:
            return False
        self._level, self._seen = level, frames
        return True


def enlarged(frame: bytes, plan: GenerationPlan) -> str:
    """A frame, which is small, at the size and in the format of its picture, in base64. CPU work."""
    file = BytesIO()
    with Image.open(BytesIO(frame)) as small:
        large = small.convert("RGB").resize(shown_size(plan), Image.Resampling.BICUBIC)
        options = {"compress_level": 1} if plan.output_format == "png" else {"quality": 80}
        large.save(file, plan.output_format, **options)
    return base64.b64encode(file.getvalue()).decode()
