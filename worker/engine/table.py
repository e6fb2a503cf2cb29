"""A scheduler as a table: the next latents are a weighted sum of a few latents and predictions, and of noise."""

from dataclasses import dataclass
from typing import NamedTuple


class Term(NamedTuple):
    """`weight` times the latents, or the prediction, of `age` steps ago; age 0 is the step being taken."""

    age: int
    prediction: bool
    weight: float


@dataclass(frozen=True)
class Step:
    """One pass and the step after it: the network sees `scale` times the latents at `timestep`.

    The next latents are the sum of `terms`, plus `noise` times a fresh standard normal. None: no noise is drawn, where
    at 0 it is drawn and not used.
    """

    timestep: float
    scale: float
    terms: tuple[Term, ...]
    noise: float | None


@dataclass(frozen=True)
class Table:
    """A run of a scheduler from one beginning to the end, with nothing remembered from before it.

    `depth` is how many earlier (latents, prediction) pairs a step may ask for.
    """

    init_noise_sigma: float
    steps: tuple[Step, ...]

    @property
    def depth(self) -> int:
        return max((term.age for step in self.steps for term in step.terms), default=0)
