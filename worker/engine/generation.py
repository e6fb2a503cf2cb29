"""A work inside the engine: its images and what they have cost so far."""

from collections.abc import Iterator

from darkroom.contract.plan import Notice
from darkroom.errors import BrokenWeights
from worker.engine.encode import NOTHING, Encoded, Nothing, Part, Whole
from worker.engine.request import Work
from worker.engine.sample import Common, Sample
from worker.models.cache import Lease
from worker.models.checkpoint import Checkpoint
from worker.models.chunks import MOST_CHUNKS
from worker.models.lora import Applied
from worker.models.lora_mix import check_fit


class Generation:
    """Keeps the lease on its checkpoint from the start to the end of the work."""

    def __init__(
        self,
        work: Work,
        entry: Lease[Checkpoint] | Exception,
        encoded: Encoded = NOTHING,
        loras: tuple[Applied, ...] = (),
    ) -> None:
        """Takes the lease over, and gives it back when this raises.

        Raises: `entry` itself when it is an error; BrokenWeights when the loaded weights are not those of the plan, or
        a LoRA does not fit them; what tokenizer, text encoder and scheduler may raise.
        """
        if isinstance(entry, Exception):
            raise entry
        try:
            _check_weights(work, entry.checkpoint)
            _check_start(work, encoded)
            for applied in loras:
                check_fit(applied.lora, entry.checkpoint.layers)
            common = Common.of(work.plan, entry.checkpoint, loras)
            self.samples = [Sample(common, i, entry.checkpoint, encoded) for i in range(len(work.plan.seeds))]
        except Exception:
            entry.release()
            raise
        self.work = work
        self.checkpoint = entry.checkpoint
        self.device_seconds = 0.0
        self.undecoded = len(self.samples)
        self._lease = entry

    @property
    def step(self) -> int:
        """Steps taken, over all images."""
        return sum(sample.step for sample in self.samples)

    @property
    def steps(self) -> int:
        """Steps in all, over all images."""
        return sum(sample.steps for sample in self.samples)

    @property
    def rows(self) -> int:
        """Rows of the images not decoded yet."""
        return self.undecoded * self.samples[0].rows_needed

    @property
    def seconds_per_row(self) -> float:
        """First guess at one row of one step, from the model's own figure for two rows at native size."""
        spec, plan = self.checkpoint.spec, self.work.plan
        return spec.seconds_per_step / 2 * (plan.width * plan.height) / (spec.native_width * spec.native_height)

    def notices(self) -> Iterator[Notice]:
        """What only the tokenizer could tell: words beyond its window."""
        for field, conditioning in self.samples[0].conditionings.items():
            if conditioning.dropped_tokens:
                reason = (
                    f"the last {conditioning.dropped_tokens} tokens are beyond {MOST_CHUNKS} chunks and had no effect"
                )
                yield Notice(field=field, reason=reason)

    def close(self) -> None:
        self._lease.release()


def _check_start(work: Work, encoded: Encoded) -> None:
    """Without its picture, a generation would be another one."""
    expected = {"noise": Nothing, "image": Whole, "mask": Part, "inside": Part}[work.plan.start.kind]
    if not isinstance(encoded, expected):
        raise ValueError(f"a generation that starts from {work.plan.start.kind} was given something else")


def _check_weights(work: Work, checkpoint: Checkpoint) -> None:
    """A plan names the weights it was made for; a receipt would lie about any others."""
    if work.plan.weights and work.plan.weights != checkpoint.spec.weights:
        raise BrokenWeights(work.plan.model, "the weights have changed since this generation was planned")
