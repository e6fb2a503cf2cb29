"""A work inside the engine: its images and what they have cost so far."""

import math
from collections.abc import Callable, Iterator
from functools import partial

from darkroom.contract.plan import GenerationPlan, Notice
from darkroom.contract.stage import Refiner
from darkroom.errors import BrokenWeights
from worker.engine.faults import sparing
from worker.engine.needs import Leases
from worker.engine.request import Work
from worker.engine.sample import Sample
from worker.engine.stage import stages_of
from worker.models.chunks import MOST_CHUNKS
from worker.models.lora import Applied
from worker.models.lora_mix import check_fit


class Generation:
    """Keeps the leases on its checkpoints from the start to the end of the work."""

    def __init__(
        self,
        work: Work,
        entry: Leases | Exception,
        loras: tuple[Applied, ...] = (),
        free_memory: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes the leases over, and gives them back when this raises.

        Raises: `entry` itself when it is an error; BrokenWeights when the loaded weights are not those of the plan, or
        a LoRA does not fit them; what tokenizer, text encoder and scheduler may raise.
        """
        if isinstance(entry, Exception):
            raise entry
        try:
            _check_weights(work.plan, entry)
            for applied in loras:
                check_fit(applied.lora, entry.checkpoint(work.plan.model).layers)
            self._stages = sparing(partial(stages_of, work.plan, entry, loras, work.maps), free_memory)
            self.samples = [Sample(work.plan, self._stages, i) for i in range(len(work.plan.seeds))]
        except Exception:
            entry.release()
            raise
        self.work = work
        self.device_seconds = 0.0
        self.entered = 0.0  # when its lanes got it, by the engine's clock
        self.next_sketch_at = -math.inf if work.plan.previews else math.inf
        self.undecoded = len(self.samples)
        self._leases = entry

    @property
    def step(self) -> int:
        """Steps taken, over all stages of all images."""
        return sum(sample.step for sample in self.samples)

    @property
    def steps(self) -> int:
        """Steps in all, over all stages of all images."""
        return sum(sample.steps for sample in self.samples)

    @property
    def rows(self) -> int:
        """Rows of the images not decoded yet."""
        return self.undecoded * self.samples[0].rows_needed

    def notices(self) -> Iterator[Notice]:
        """What only tokenizer and scheduler could tell: words beyond the window, a refiner's part that was none."""
        for stage in self._stages:
            yield from stage.notices
        for field, conditioning in self._stages[0].conditionings.items():
            if conditioning.dropped_tokens:
                reason = (
                    f"the last {conditioning.dropped_tokens} tokens are beyond {MOST_CHUNKS} chunks and had no effect"
                )
                yield Notice(field=field, reason=reason)

    def close(self) -> None:
        """Let go of everything, also of what an error that is still held could keep alive through its traceback."""
        for sample in self.samples:
            sample.close()
        self._stages = ()
        self._leases.release()


def _check_weights(plan: GenerationPlan, leases: Leases) -> None:
    """A plan names the weights it was made for; a receipt would lie about any others."""
    refiners = [(stage.model, stage.weights) for stage in plan.later_stages if isinstance(stage, Refiner)]
    for model, weights in ((plan.model, plan.weights), *refiners):
        if weights and weights != leases.checkpoint(model).spec.weights:
            raise BrokenWeights(model, "the weights have changed since this generation was planned")
