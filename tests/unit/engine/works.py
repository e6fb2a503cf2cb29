"""Plans to ask the engine for, and a listener that remembers what it was told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.contract.controlnet import NamedControlnet
from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.errors import DarkroomError
from tests.unit.engine.checkpoints import SIDE
from worker.engine import Engine, Work
from worker.engine.needs import Leases
from worker.models.cache import ModelCache
from worker.models.checkpoint import Checkpoint
from worker.models.controlnet import Controlnet

PLAN: dict[str, Any] = {
    "task": "text_to_image",
    "model": "model",
    "weights": {},
    "prompt": "a red circle",
    "negative_prompt": "",
    "clip_skip": 0,
    "width": SIDE,
    "height": SIDE,
    "steps": 4,
    "guidance_scale": 4.0,
    "scheduler": "ddim",
    "seeds": (1,),
    "loras": (),
    "embeddings": (),
    "output_format": "png",
    "output_compression": 90,
    "deterministic": False,
    "priority": "interactive",
    "deadline_at": None,
    "predicted_seconds": 1.0,
    "warnings": (),
    "metadata": {},
}


def make_plan(**fields: Any) -> GenerationPlan:
    return GenerationPlan(**{**PLAN, **fields})


def make_work(job_id: str = "job", attempt: int = 1, **fields: Any) -> Work:
    return Work(job_id, attempt, make_plan(**fields))


def lend(*checkpoints: Checkpoint, nets: Sequence[Controlnet] = ()) -> Leases:
    known = {NamedControlnet(name=net.spec.name, sha256=net.spec.sha256): net for net in nets}
    return Leases({checkpoint.spec.name: checkpoint for checkpoint in checkpoints}, (), known)


def cache_of(*checkpoints: Checkpoint, budget_bytes: int = 1 << 30) -> ModelCache:
    """A cache of models that are loaded at once, by the names in their specs."""
    by_name = {checkpoint.spec.name: checkpoint for checkpoint in checkpoints}
    return ModelCache(by_name.__getitem__, lambda name: by_name[name].bytes, budget_bytes)


@dataclass
class Recorder:
    """Everything the engine said, by job."""

    previews: dict[str, list[tuple[int, NDArray[np.uint8]]]] = field(default_factory=dict)
    images: dict[str, dict[int, NDArray[np.uint8]]] = field(default_factory=dict)
    steps: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, DarkroomError] = field(default_factory=dict)
    canceled: list[str] = field(default_factory=list)
    notices: dict[str, list[Notice]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    def on_notice(self, work: Work, notice: Notice) -> None:
        self.notices.setdefault(work.job_id, []).append(notice)

    def on_step(self, work: Work, step: int, steps: int) -> None:
        self.steps.setdefault(work.job_id, []).append((step, steps))

    def on_preview(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        self.previews.setdefault(work.job_id, []).append((index, rgb_HWC))

    def on_image(self, work: Work, index: int, rgb_HWC: NDArray[np.uint8]) -> None:
        assert index not in self.images.setdefault(work.job_id, {})
        self.images[work.job_id][index] = rgb_HWC

    def on_finished(self, work: Work, device_seconds: float) -> None:
        self.seconds[work.job_id] = device_seconds
        self.ended.append(work.job_id)

    def on_failed(self, work: Work, error: DarkroomError, device_seconds: float) -> None:
        self.seconds[work.job_id] = device_seconds
        self.failures[work.job_id] = error
        self.ended.append(work.job_id)

    def on_canceled(self, work: Work, device_seconds: float) -> None:
        self.seconds[work.job_id] = device_seconds
        self.canceled.append(work.job_id)
        self.ended.append(work.job_id)


def finish(engine: Engine, most_steps: int = 10_000) -> None:
    """Step until the engine has nothing left to do."""
    for _ in range(most_steps):
        if not engine.step():
            return
    raise AssertionError(f"the engine was still busy after {most_steps} steps")


def develop(checkpoint: Checkpoint, works: Iterable[Work], max_rows: int = 16) -> Recorder:
    """Run `works` through an engine of their own."""
    recorder = Recorder()
    engine = Engine(cache_of(checkpoint), recorder, max_rows)
    for work in works:
        engine.admit(work)
    finish(engine)
    engine.close()
    return recorder
