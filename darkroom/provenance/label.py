"""A label that people can see, drawn before the watermark: GB 45438-2025 asks for letters of 5 % of the short side."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from darkroom.errors import ConfigurationError
from darkroom.provenance.watermark import RGB

SHARE: Final = 0.05  # of the short side, for capitals: no letter that is told apart by its height is lower
SMALLEST: Final = 7  # pixels of capitals that can be read at all
_MEASURED: Final = 100
_WHITE: Final = (255, 255, 255)
_BLACK: Final = (0, 0, 0)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Label:
    """`font` is for letters that Pillow's own font, which is Latin, does not have."""

    text: str
    font: Path | None = None

    def drawn(self, rgb_HWC: RGB) -> RGB:
        """A copy with the label in its lower right corner: white on black, to be read over any ground."""
        picture = Image.fromarray(rgb_HWC)
        draw = ImageDraw.Draw(picture)
        capitals, font = self._fitting(draw, picture)
        pad = max(2, capitals // 2)
        left, top, right, bottom = draw.textbbox((0, 0), self.text, font=font)
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        x, y = picture.width - width, picture.height - height
        draw.rectangle((x, y, picture.width, picture.height), fill=_BLACK)
        draw.text((x + pad - left, y + pad - top), self.text, font=font, fill=_WHITE)
        return np.asarray(picture)

    def _fitting(self, draw: ImageDraw.ImageDraw, picture: Image.Image) -> tuple[int, Font]:
        """Easy to read if that leaves no word out, else as small as is allowed."""
        least = math.ceil(SHARE * min(picture.size))
        capitals = max(SMALLEST, least)
        font = self._sized(capitals)
        if draw.textlength(self.text, font=font) + 2 * capitals <= picture.width:
            return capitals, font
        return least, self._sized(least)

    def check(self) -> None:
        """Raises: ConfigurationError for a font that is none."""
        try:
            self._at(_MEASURED)
        except OSError:
            raise ConfigurationError("DARKROOM_VISIBLE_LABEL_FONT is not a font that can be read") from None

    def _sized(self, capitals: int) -> Font:
        """The font at the size at which a capital is so many pixels high."""
        _, top, _, bottom = self._at(_MEASURED).getbbox("H")
        return self._at(math.ceil(capitals * _MEASURED / (bottom - top)) + 1)

    def _at(self, size: int) -> Font:
        return ImageFont.truetype(self.font, size) if self.font else ImageFont.load_default(size)
