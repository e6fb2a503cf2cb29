"""A contact sheet: many pictures small on one, each above its words."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from darkroom.client.pictures import write_whole

MARGIN, CAPTION_GAP, LINE = 16, 8, 17  # px
SIDES = ((24, 256), (96, 192), (400, 128))  # up to so many pictures, this many pixels a side
SMALLEST = 96
WORDS, NAME = 13, 11  # px, of letters
PAPER, INK, FAINT, HOLE = "#ffffff", "#1a1a1a", "#767676", "#e8e8e8"
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True)
class Cell:
    """A picture and its words; one that is not there leaves its place grey, with the reason in it."""

    path: Path
    words: str
    lacking: str = ""


def write_sheet(cells: Sequence[Cell], output: Path) -> None:
    """Raises: OSError, as for a file that is no picture."""
    data = io.BytesIO()
    lay_out(cells).save(data, FORMATS[output.suffix.lower()])
    write_whole(output, data.getvalue())


def lay_out(cells: Sequence[Cell]) -> Image.Image:
    """In rows, about as wide as high, but never wider than a page of twelve."""
    side = next((side for most, side in SIDES if len(cells) <= most), SMALLEST)
    columns = min(len(cells), 12, max(2, math.ceil(math.sqrt(len(cells) * (side + 3 * LINE) / side))))
    step_x, step_y = side + MARGIN, side + CAPTION_GAP + 3 * LINE + MARGIN
    rows = math.ceil(len(cells) / columns)
    sheet = Image.new("RGB", (columns * step_x + MARGIN, rows * step_y + MARGIN), PAPER)
    for index, cell in enumerate(cells):
        place = (MARGIN + index % columns * step_x, MARGIN + index // columns * step_y)
        _put(sheet, cell, place, side)
    return sheet


def _put(sheet: Image.Image, cell: Cell, place: tuple[int, int], side: int) -> None:
    (x, y), pen = place, ImageDraw.Draw(sheet)
    words, name = ImageFont.load_default(WORDS), ImageFont.load_default(NAME)
    if cell.lacking:
        pen.rectangle((x, y, x + side - 1, y + side - 1), HOLE)
        for number, line in enumerate(fitted(cell.lacking, name, side - 16, lines=4)):
            pen.text((x + 8, y + 8 + number * LINE), line, FAINT, name)
    else:
        shown = _thumbnail(cell.path, side)
        sheet.paste(shown, (x + (side - shown.width) // 2, y + (side - shown.height) // 2))
    below = y + side + CAPTION_GAP
    lines = fitted(cell.words, words, side, lines=2)
    for number, line in enumerate(lines):
        pen.text((x, below + number * LINE), line, INK, words)
    pen.text((x, below + len(lines) * LINE + 2), _end_of(cell.path.name, name, side), FAINT, name)


def _thumbnail(path: Path, side: int) -> Image.Image:
    with Image.open(path) as picture:
        picture.draft("RGB", (side, side))
        whole = picture.convert("RGB")
    scale = side / max(whole.size)
    size = (max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
    return whole.resize(size, Image.Resampling.LANCZOS)


def fitted(text: str, font: Font, width: float, lines: int) -> list[str]:
    """Words in lines no wider than `width`; what does not fit ends in an ellipsis."""
    left, fit = text.split(), list[str]()
    while left and len(fit) < lines:
        taken = 1
        while taken < len(left) and font.getlength(" ".join(left[: taken + 1])) <= width:
            taken += 1
        if len(fit) == lines - 1:
            taken = len(left)
        fit.append(_cut(" ".join(left[:taken]), font, width))
        left = left[taken:]
    return fit


def _end_of(name: str, font: Font, width: float) -> str:
    """Of a name that is too long its end, which tells it from others of the same words."""
    if font.getlength(name) <= width:
        return name
    while name and font.getlength(f"…{name}") > width:
        name = name[1:]
    return f"…{name}"


def _cut(line: str, font: Font, width: float) -> str:
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(f"{line}…") > width:
        line = line[:-1]
    return f"{line.rstrip()}…"
