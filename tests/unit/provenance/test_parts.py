"""Files of too many parts are told before any decoder sees them; those that people have are not."""

import io
import time
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import BadPicture
from darkroom.inputs.normal import normalise
from darkroom.provenance.parts import MOST_CHUNKS, MOST_SCANS, MOST_SEGMENTS, refuse_many_parts
from darkroom.provenance.pictures import opened
from tests.unit.provenance.making import shapes

PICTURE = Image.fromarray(shapes(96, 96))


def saved(media: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, media, **options)
    return buffer.getvalue()


JPEG, PROGRESSIVE, PNG = saved("JPEG"), saved("JPEG", progressive=True), saved("PNG")
WORD = b"\0\0\0\x03tEXta\0b\0\0\0\0"
REMARK = b"\xff\xfe\0\x02"


def again(times: int) -> bytes:
    last = PROGRESSIVE.rindex(b"\xff\xda")
    return PROGRESSIVE[:last] + PROGRESSIVE[last:-2] * times + PROGRESSIVE[-2:]


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        PROGRESSIVE,
        PNG,
        PNG[:33] + WORD * (MOST_CHUNKS - 10) + PNG[33:],
        JPEG[:2] + REMARK * (MOST_SEGMENTS - 100) + JPEG[2:],
        again(MOST_SCANS - 20),
        JPEG + b"\xff\xda" * 10_000,  # a film behind the picture, as telephones write
        saved("JPEG", icc_profile=bytes(3_000_000)),
        saved("WEBP"),
        b"",
        JPEG[:3],
        PNG[:9],
    ],
)
def test_files_that_people_have_pass(data: bytes) -> None:
    refuse_many_parts(data)


@pytest.mark.parametrize(
    "data",
    [
        PNG[:33] + WORD * (MOST_CHUNKS + 1) + PNG[33:],
        PNG[:33] + b"\0\0\0\0IDAT\0\0\0\0" * 1_000_000 + PNG[33:],
        JPEG[:2] + REMARK * 1_000_000 + JPEG[2:],
        JPEG[:2] + b"\xff" * 4_000_000 + JPEG[2:],
        JPEG[:2] + b"\xff\x00" * 2_000_000 + JPEG[2:],
        JPEG[:2] + b"\x00" * 4_000_000 + JPEG[2:],
        JPEG[:2] + b"\xff\xd9" * 2_000_000 + JPEG[2:],
        JPEG[:2] * 2_000_000 + JPEG[2:],
        JPEG[:2] + b"\xff\xd0" * 2_000_000 + JPEG[2:],
        again(MOST_SCANS + 1),
        again(4).replace(b"\xff\xda", REMARK * 3_000 + b"\xff\xda"),
        PROGRESSIVE[:-2] + b"\xff\xfe\0\x04\xff\xd9" + again(MOST_SCANS)[2:],  # an end that is only words
    ],
)
def test_too_many_parts_are_refused_in_no_time(data: bytes) -> None:
    begun = time.thread_time()
    with pytest.raises(BadPicture, match="too many"):
        refuse_many_parts(data)
    assert time.thread_time() - begun < 0.25


@pytest.mark.parametrize("data", [again(MOST_SCANS + 1), PNG[:33] + WORD * (MOST_CHUNKS + 1) + PNG[33:]])
def test_the_one_loader_counts_them_first(data: bytes) -> None:
    for read in (opened, normalise):
        with pytest.raises(BadPicture, match="too many"):
            read(data)
