"""The contact sheet: everything on it, in order, and nothing over its edges."""

from pathlib import Path

import pytest
from PIL import Image, ImageFont

from darkroom.cli.batch.sheet import MARGIN, Cell, fitted, lay_out, write_sheet

FONT = ImageFont.load_default(13)


def cell(folder: Path, color: str, size: tuple[int, int] = (64, 64)) -> Cell:
    path = folder / f"{color}.png"
    Image.new("RGB", size, color).save(path)
    return Cell(path, f"a {color} picture")


def test_pictures_stand_in_order_and_in_the_middle_of_their_places(tmp_path: Path) -> None:
    sheet = lay_out([cell(tmp_path, "red"), cell(tmp_path, "blue", (64, 16))])
    assert sheet.size == (2 * (256 + MARGIN) + MARGIN, 256 + 8 + 51 + 2 * MARGIN)
    assert sheet.getpixel((MARGIN + 128, MARGIN + 128)) == (255, 0, 0)
    assert sheet.getpixel((2 * MARGIN + 256 + 128, MARGIN + 128)) == (0, 0, 255)
    assert sheet.getpixel((2 * MARGIN + 256 + 128, MARGIN + 8)) == (255, 255, 255)


def test_one_that_is_lacking_leaves_its_place_grey(tmp_path: Path) -> None:
    sheet = lay_out([Cell(tmp_path / "gone.png", "words", lacking="it failed")])
    assert sheet.getpixel((MARGIN + 200, MARGIN + 200)) == (0xE8,) * 3


@pytest.mark.parametrize(("number", "most"), [(1, 300), (24, 1900), (25, 1900), (97, 1900)])
def test_a_sheet_of_many_is_no_wider_than_a_page(number: int, most: int, tmp_path: Path) -> None:
    sheet = lay_out([Cell(tmp_path / "gone.png", "words", lacking="x")] * number)
    assert sheet.width <= most


@pytest.mark.parametrize("text", ["word " * 50, "w" * 500, "a b", "", "two  words"])
def test_words_fit(text: str) -> None:
    lines = fitted(text, FONT, 256, lines=2)
    assert len(lines) <= 2
    assert all(FONT.getlength(line) <= 256 for line in lines)
    assert lines[-1:] == [] or lines[-1].endswith("…") == (FONT.getlength(" ".join(text.split())) > 512)


def test_a_sheet_has_the_format_of_its_name(tmp_path: Path) -> None:
    for name, kind in (("s.jpg", "JPEG"), ("s.webp", "WEBP"), ("s.png", "PNG")):
        write_sheet([cell(tmp_path, "red")], tmp_path / name)
        with Image.open(tmp_path / name) as sheet:
            assert sheet.format == kind
