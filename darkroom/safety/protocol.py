"""What looks at words, and what looks at pictures.

Checkers block, for milliseconds or for a network's time-out, and are called on threads, by several at once. They only
tell how sure they are; what follows from that is the policy's.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# By category, each from 0 to 1. A category that is not there was not looked for, or not found.
Scores = Mapping[str, float]
Pixels = NDArray[np.uint8]  # H W 3


class PromptChecker(Protocol):
    """`version` changes with what it knows: the SHA-256 of a list, or a service's own word."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def scores(self, text: str) -> Scores:
        """Raises: SafetyUnavailable, and nothing else."""
        ...


class PictureChecker(Protocol):
    """`version` changes with what it knows: the SHA-256 of weights, or a service's own word."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def scores(self, rgb_HWC: Pixels) -> Scores:
        """Of a picture of any size. Raises: SafetyUnavailable, and nothing else."""
        ...
