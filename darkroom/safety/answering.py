"""The one edge at which whatever goes wrong in a checker becomes SafetyUnavailable."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from darkroom.errors import SafetyUnavailable
from darkroom.log import get_logger
from darkroom.safety.protocol import Pixels, Scores

log = get_logger(__name__)


@contextmanager
def answering(checker: str) -> Iterator[None]:
    """Whatever is raised inside is logged by its kind and is SafetyUnavailable: words and pictures stay out of both."""
    try:
        yield
    except SafetyUnavailable:
        raise
    except Exception as error:
        log.warning("checker.failed", checker=checker, error=type(error).__name__)
        raise SafetyUnavailable(f"the safety checker {checker} gave no answer") from error


def sound(scores: Mapping[str, float]) -> Scores:
    """The scores, each a number from 0 to 1: one that is none would be below every threshold. Raises: ValueError."""
    if not all(math.isfinite(score) and 0 <= score <= 1 for score in scores.values()):
        raise ValueError("a score is no number from 0 to 1")
    return {category: float(score) for category, score in scores.items()}


def picture(rgb_HWC: Pixels) -> Pixels:
    """The same. Raises: ValueError for what is no picture, of which libraries make a black one that nobody minds."""
    if rgb_HWC.dtype != np.uint8 or rgb_HWC.ndim != 3 or rgb_HWC.shape[2] != 3 or 0 in rgb_HWC.shape:
        raise ValueError("is no picture of three channels")
    return rgb_HWC
