"""A1111's text in files that were signed: found by us, and by others where they look for it."""

import io

import pytest
from PIL import Image, PngImagePlugin
from sd_parsers import ParserManager

from darkroom.contract.plan import OutputFormat
from darkroom.errors import BadPicture
from darkroom.infotext.reading import parse
from darkroom.provenance.written import MOST_OTHERS, infotext_in, words_in
from tests.unit.provenance.house import House
from tests.unit.provenance.making import encoded, shapes
from tests.unit.provenance.test_stamper import FORMATS, report

WORDS = {"prompt": 'a cat, "sitting"\non a: mat', "negative_prompt": "blurry"}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("prompt", [WORDS["prompt"], "eine Katze, 猫 🐈"])
async def test_a_signed_file_has_the_text_that_was_asked_for(
    house: House, output_format: OutputFormat, prompt: str
) -> None:
    asked = {**WORDS, "prompt": prompt, "infotext": True}
    stamped = await house.issue(output_format=output_format, **asked)
    read = parse(infotext_in(stamped.data))
    assert (read.prompt, read.negative_prompt, read.parameters["Seed"]) == (prompt, "blurry", "7")
    assert report(stamped.data, stamped.media_type, house.identity)["validation_state"] == "Trusted"


@pytest.mark.parametrize("output_format", FORMATS)
async def test_without_being_asked_no_file_says_its_prompt(house: House, output_format: OutputFormat) -> None:
    stamped = await house.issue(output_format=output_format, **WORDS)
    assert infotext_in(stamped.data) == ""
    assert b"sitting" not in stamped.data


async def test_sd_parsers_finds_it_in_the_file(house: House) -> None:
    stamped = await house.issue(**WORDS, infotext=True)
    found = ParserManager().parse(io.BytesIO(stamped.data))
    assert found is not None
    assert [prompt.value for prompt in found.prompts] == [WORDS["prompt"]]


@pytest.mark.parametrize("text", ["a cat\nSteps: 1", "猫"])
def test_what_a1111_wrote_itself_is_found(text: str) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("parameters", text)
    assert infotext_in(encoded(shapes(16, 16), pnginfo=words)) == text


def test_other_words_of_a_png_are_found_but_for_those_that_are_too_long() -> None:
    words = PngImagePlugin.PngInfo()
    for name, text in (("Software", "NodeUI"), ("workflow", "{" * 100_001), ("parameters", "a cat")):
        words.add_text(name, text, zip=True)
    words.add_itxt("XML:com.adobe.xmp", "<x/>")
    found = words_in(encoded(shapes(16, 16), pnginfo=words))
    assert (found.infotext, dict(found.others)) == ("a cat", {"Software": "NodeUI"})


def test_few_other_words_are_told_however_many_there_are() -> None:
    words = PngImagePlugin.PngInfo()
    for number in range(500):
        words.add_text(f"k{number}", "v")
    assert len(words_in(encoded(shapes(16, 16), pnginfo=words)).others) == MOST_OTHERS


def test_words_that_inflate_beyond_all_bounds_are_refused() -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("parameters", "x" * 5_000_000, zip=True)
    with pytest.raises(BadPicture):
        words_in(encoded(shapes(16, 16), pnginfo=words))


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("text", ["猫\nSteps: 1, Seed: 2, Size: 3x3", "a cat", "猫", ""])
@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_a_comment_in_either_byte_order_is_found(order: str, text: str, file_format: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode(order)
    found = infotext_in(encoded(shapes(16, 16), file_format, exif=exif.tobytes()))
    assert found == text or (text, order) == ("猫", "utf-16-le"), "without a single letter nothing tells them apart"


def test_a_comment_of_a_camera_is_no_error() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0holiday\0\0"
    assert infotext_in(encoded(shapes(16, 16), "JPEG", exif=exif.tobytes())) == "holiday"
    assert infotext_in(encoded(shapes(16, 16), "WEBP", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")) == ""


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadPicture):
        infotext_in(b"Steps: 1")
