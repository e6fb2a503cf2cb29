"""What every method is: a function of a picture's pixels alone, so that one picture has one map."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from darkroom.inputs.normal import Pixels

Grey = NDArray[np.uint8]  # H W
Method = Callable[[Pixels], Pixels]  # H W 3, RGB -> H W 3


def three_channels(grey_HW: Grey) -> Pixels:
    """H W -> H W 3."""
    return np.repeat(grey_HW[..., None], 3, axis=2)
