"""The PNG that we write ourselves, read by libraries that others wrote."""

import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from darkroom.provenance.png import write_png
from darkroom.provenance.watermark import RGB


def noise(height: int, width: int) -> RGB:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@settings(deadline=None, max_examples=40)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_every_pixel_reads_back_as_it_was(rgb_HWC: RGB) -> None:
    data = write_png(rgb_HWC, b"")

    assert np.array_equal(Image.open(io.BytesIO(data)), rgb_HWC)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1], rgb_HWC)


@pytest.mark.parametrize("view", [np.s_[:, ::-1], np.s_[::2, 1:], np.s_[:, :, ::-1]])
def test_pixels_may_lie_anyhow_in_memory(view: tuple[slice, ...]) -> None:
    rgb_HWC = noise(40, 30)[view]

    assert np.array_equal(Image.open(io.BytesIO(write_png(rgb_HWC, b""))), rgb_HWC)


def test_the_xmp_stands_before_the_pixels_and_every_chunk_has_its_checksum() -> None:
    data, at, kinds = write_png(noise(16, 16), b"<x/>"), 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kinds.append(data[at + 4 : at + 8])
        checksum = int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        assert checksum == zlib.crc32(data[at + 4 : at + 8 + length])
        at += 12 + length

    assert kinds == [b"IHDR", b"iTXt", b"IDAT", b"IEND"]
    assert Image.open(io.BytesIO(data)).info["XML:com.adobe.xmp"] == "<x/>"


def test_flat_pictures_stay_small() -> None:
    assert len(write_png(np.full((512, 512, 3), 200, np.uint8), b"")) < 6_000


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 4, 1), (4, 4), (0, 4, 3), (4, 0, 3)])
def test_what_is_no_picture_of_three_channels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="H W 3"):
        write_png(np.zeros(shape, np.uint8), b"")
