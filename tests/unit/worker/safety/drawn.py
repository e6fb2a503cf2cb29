"""Harmless pictures of many sizes, drawn or noise."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[4]
SIZES = [(1, 1), (3, 50), (1, 4000), (4000, 1), (37, 61), (128, 128), (512, 512), (256, 1024)]  # height, width


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def shapes(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """A few coloured discs and boxes on a ground of one colour."""
    random = np.random.default_rng(seed)
    colours = [tuple(map(int, colour)) for colour in random.integers(0, 256, (5, 3))]
    picture = Image.new("RGB", (width, height), colours[0])
    pen = ImageDraw.Draw(picture)
    for number, colour in enumerate(colours[1:]):
        left, top = (int(random.integers(0, side)) for side in (width, height))
        (pen.ellipse if number % 2 else pen.rectangle)((left, top, left + width // 3, top + height // 3), fill=colour)
    return np.asarray(picture)


def of_the_embedded_model() -> NDArray[np.uint8]:
    """The sheet of pictures that the embedded model made for every task."""
    with Image.open(ROOT / "docs" / "images" / "sheet.png") as sheet:
        return np.asarray(sheet.convert("RGB"))
