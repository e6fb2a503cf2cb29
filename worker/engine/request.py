"""What goes into the engine and what comes out of it."""

from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.errors import GenerationError, ModelError
from darkroom.inputs.normal import Pixels
from worker.pictures.canvas import BLANK, Canvas

WorkId = tuple[str, int]

# Rows of one image in a forward pass: guidance compares a prompt with the negative prompt.
ROWS_GUIDED = 2
ROWS_PLAIN = 1


@dataclass(frozen=True)
class Work:
    """One attempt at one job. `canvas` must be the one that the plan's start asks for.

    `maps` has one H W 3 for each of the plan's controls, of the plan's size. `context` is that in which it was begun.
    """

    job_id: str
    attempt: int
    plan: GenerationPlan
    canvas: Canvas = field(default=BLANK, compare=False)
    maps: tuple[Pixels, ...] = field(default=(), compare=False)
    context: Context = field(default_factory=copy_context, compare=False, repr=False)

    @property
    def id(self) -> WorkId:
        return self.job_id, self.attempt

    @property
    def rows(self) -> int:
        """Rows of all images together."""
        return len(self.plan.seeds) * (ROWS_GUIDED if guided(self.plan) else ROWS_PLAIN)


def guided(plan: GenerationPlan) -> bool:
    """Classifier-free guidance at 1 or less is no guidance, as in diffusers."""
    return plan.guidance_scale > 1


class Listener(Protocol):
    """Told of everything that happens to a work, on the engine's thread: answers must be quick and must not raise.

    Exactly one of `on_finished`, `on_failed`, `on_canceled` comes last.
    """

    def on_notice(self, work: Work, notice: Notice) -> None:
        """Something only the model could tell had no effect: words beyond the text encoder's window."""
        ...

    def on_step(self, work: Work, step: int, steps: int) -> None:
        """`step` of `steps` denoising steps are done, over all images of the work."""
        ...

    def on_preview(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        """What image `index` is on the way to, one pixel a latent; only of works whose plan asks for `previews`."""
        ...

    def on_image(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        """Image `index` is decoded. Images of one work may come in any order."""
        ...

    def on_finished(self, work: Work, device_seconds: float) -> None:
        """All images have been handed over. `device_seconds`, here and below: its share of all passes it was in."""
        ...

    def on_failed(self, work: Work, error: GenerationError | ModelError, device_seconds: float) -> None: ...

    def on_canceled(self, work: Work, device_seconds: float) -> None: ...
