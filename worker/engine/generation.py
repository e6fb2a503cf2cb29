"""A work inside the engine: its images and what they have cost so far."""

from collections.abc import Iterator

from darkroom.contract.plan import Notice
from darkroom.errors import BrokenWeights
from worker.engine.needs import Leases
from worker.engine.request import Work
from worker.engine.sample import Sample
from worker.engine.stage import stages_of
from worker.models.checkpoint import Checkpoint
from worker.models.chunks import MOST_CHUNKS
from worker.models.lora import Applied
from worker.models.lora_mix import check_fit


class Generation:
    """Keeps the leases on its checkpoints from the start to the end of the work."""

    def __init__(self, work: Work, entry: Leases | Exception, loras: tuple[Applied, ...] = ()) -> None:
        """Takes the leases over, and gives them back when this raises.

        Raises: `entry` itself when it is an error; BrokenWeights when the loaded weights are not those of the plan, or
        a LoRA does not fit them; what tokenizer, text encoder and scheduler may raise.
        """
        if isinstance(entry, Exception):
            raise entry
        try:
            checkpoint = entry.checkpoint(work.plan.model)
            _check_weights(work, checkpoint)
            for applied in loras:
                check_fit(applied.lora, checkpoint.layers)
            stages = stages_of(work.plan, entry, loras, work.maps)
            self.samples = [Sample(work.plan, stages, i) for i in range(len(work.plan.seeds))]
        except Exception:
            entry.release()
            raise
        self.work = work
        self.device_seconds = 0.0
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
        """What only the tokenizer could tell: words beyond its window."""
        for field, conditioning in self.samples[0].stage.conditionings.items():
            if conditioning.dropped_tokens:
                reason = (
                    f"the last {conditioning.dropped_tokens} tokens are beyond {MOST_CHUNKS} chunks and had no effect"
                )
                yield Notice(field=field, reason=reason)

    def close(self) -> None:
        """Let go of everything, also of what an error that is still held could keep alive through its traceback."""
        for sample in self.samples:
            sample.close()
        self._leases.release()


def _check_weights(work: Work, checkpoint: Checkpoint) -> None:
    """A plan names the weights it was made for; a receipt would lie about any others."""
    if work.plan.weights and work.plan.weights != checkpoint.spec.weights:
        raise BrokenWeights(work.plan.model, "the weights have changed since this generation was planned")
