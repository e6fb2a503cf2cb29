"""Pictures are enlarged as Pillow does it."""

import numpy as np
import pytest
import torch
from PIL import Image

from worker.engine.lanczos import lanczos


@pytest.mark.parametrize("size", [(16, 24), (13, 9), (40, 40), (8, 12), (5, 7)])
def test_floats_are_resized_as_by_pillow(size: tuple[int, int]) -> None:
    pixels_13HW = torch.rand(1, 3, 12, 8, generator=torch.Generator().manual_seed(1))

    found_13HW = lanczos(pixels_13HW, size)

    channels = [Image.fromarray(channel.numpy()).resize(size, Image.Resampling.LANCZOS) for channel in pixels_13HW[0]]
    np.testing.assert_allclose(found_13HW[0].numpy(), np.stack(channels), atol=2e-6)


def test_an_even_colour_stays_what_it_is() -> None:
    grey_13HW = torch.full((1, 3, 8, 8), 0.25)
    torch.testing.assert_close(lanczos(grey_13HW, (20, 12)), torch.full((1, 3, 12, 20), 0.25))
