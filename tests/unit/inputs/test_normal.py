"""Whatever is sent becomes one kind of file, or is refused before it costs anything."""

import hashlib
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import BadPicture
from darkroom.inputs.normal import MAX_PIXELS, flatten, normalise, stored
from tests.unit.inputs.files import png_header, saved, scene


def test_a_png_keeps_every_pixel_and_tells_of_itself() -> None:
    picture = normalise(saved(scene()))
    assert np.array_equal(picture.pixels, scene())
    assert (picture.ref.width, picture.ref.height) == (24, 16)
    assert picture.ref.sha256 == hashlib.sha256(picture.png).hexdigest()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_was_kept_is_read_back_as_it_was(mode: str) -> None:
    kept = normalise(saved(Image.fromarray(scene()).convert(mode)))
    again = stored(kept.png)
    assert again.ref == kept.ref
    assert np.array_equal(again.pixels, kept.pixels)


@pytest.mark.parametrize(("kind", "most"), [("JPEG", 12), ("WEBP", 12)])
def test_lossy_formats_are_read(kind: str, most: int) -> None:
    read = normalise(saved(scene(64, 48), kind, quality=95)).pixels
    assert np.abs(read.astype(int) - scene(64, 48)).max() <= most


def test_the_same_pixels_have_the_same_name_whatever_file_they_came_in() -> None:
    palette = Image.fromarray(scene()).quantize(16)
    files = [saved(palette), saved(palette.convert("RGB")), saved(palette.convert("RGB"), compress_level=0)]
    assert len({normalise(data).ref.sha256 for data in files}) == 1


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    grey = np.linspace(0, 65535, 24 * 16).reshape(16, 24).astype(np.uint16)
    read = normalise(saved(grey)).pixels
    assert np.array_equal(read[..., 0], np.rint(grey / 257).astype(np.uint8))


def test_cmyk_becomes_the_colours_it_means() -> None:
    red = normalise(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")).pixels[8, 8]
    assert red[0] > 200
    assert max(red[1:]) < 60


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA"])
def test_every_mode_is_read_as_pillow_shows_it(mode: str) -> None:
    picture = Image.fromarray(scene()).convert(mode if mode != "PA" else "P")
    read = normalise(saved(picture))
    assert np.array_equal(read.pixels[..., :3], np.asarray(picture.convert("RGB")))


def test_a_palette_with_a_transparent_colour_stays_transparent_there() -> None:
    picture = Image.fromarray(scene()).quantize(4)
    read = normalise(saved(picture, transparency=0)).pixels
    assert np.array_equal(read[..., 3] == 0, np.asarray(picture) == 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_and_forgets_where_it_was_taken(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "canary"
    picture = normalise(saved(scene(), exif=exif))
    turned = {6: np.rot90(scene(), -1), 3: np.rot90(scene(), 2), 8: np.rot90(scene()), 1: scene()}
    if orientation in turned:
        assert np.array_equal(picture.pixels, turned[orientation])
    assert picture.ref.width == (16 if orientation >= 5 else 24)
    assert b"canary" not in picture.png


def test_what_is_transparent_is_shown_over_the_ground() -> None:
    pixels = np.array([[[200, 100, 0, 0], [200, 100, 0, 255], [200, 100, 0, 128]]], np.uint8)
    assert flatten(pixels, 255)[0].tolist() == [[255, 255, 255], [200, 100, 0], [227, 177, 127]]
    assert flatten(pixels, 0)[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(BadPicture, match="not a PNG"):
        normalise(saved(scene(), kind))


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"x" * 1000])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadPicture):
        normalise(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_ends_in_the_middle_is_refused(kind: str) -> None:
    data = saved(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8), kind)
    with pytest.raises(BadPicture):
        normalise(data[: len(data) // 2])


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str) -> None:
    frames = [Image.fromarray(scene()), Image.fromarray(scene()[::-1])]
    with pytest.raises(BadPicture, match="animated"):
        normalise(saved(frames[0], kind, save_all=True, append_images=frames[1:]))


def test_of_several_pictures_in_a_telephones_jpeg_the_first_counts() -> None:
    frames = [Image.fromarray(scene(64, 48)), Image.fromarray(scene(64, 48)[::-1])]
    read = normalise(saved(frames[0], "MPO", save_all=True, append_images=frames[1:])).pixels
    assert np.abs(read.astype(int) - scene(64, 48)).max() < 40


@pytest.mark.parametrize(("width", "height"), [(4097, 3072), (100_000, 100_000), (2**31 - 1, 1)])
def test_a_picture_too_large_costs_nothing(width: int, height: int) -> None:
    data = png_header(width, height)
    tracemalloc.start()
    began = time.thread_time()
    with pytest.raises(BadPicture):
        normalise(data)
    spent, (_, peak) = time.thread_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 0.5
    assert peak < 1_000_000


def test_stored_bytes_that_are_not_ours_are_refused() -> None:
    for data in (b"", b"nothing", saved(np.zeros((16, 16), np.uint16))):
        with pytest.raises(BadPicture):
            stored(data)


def test_more_pixels_than_a_telephone_makes_are_refused_from_the_head() -> None:
    with pytest.raises(BadPicture, match=f"more than {MAX_PIXELS} pixels"):
        normalise(png_header(4096, 3073))
    with pytest.raises(BadPicture, match="damaged"):
        normalise(png_header(4096, 3072))
