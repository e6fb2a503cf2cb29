"""What was issued stays readable: these values may not change for as long as the mark is called `tss.1`.

A change that fails here needs a new name for the mark, and a reader that still knows the old one.
"""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from darkroom.provenance import TssWatermarker
from darkroom.provenance.tss.carrier import carrier
from darkroom.provenance.tss.convolutional_code import encode
from darkroom.provenance.tss.message import CODED_BITS, pack
from darkroom.provenance.tss.ring import Key
from darkroom.provenance.tss.tiling import spread, tile, tiles_across
from tests.unit.provenance.making import MARK_ID, SECRET, decoded

GOLDEN = Path(__file__).parents[1] / "golden"

# secret -> digests of where the harmonics lie, which bit each carries, their phases, and the scrambling of the message
CARRIERS = {
    SECRET: "160e433aec8866a6d2169c4f33c2924e",
    b"\xff" * 16: "f45fbf86adb8f02c2da932b6e6ee08de",
}
# (secret, id) -> digest of the coded bits
MESSAGES = {
    (SECRET, 0): "134351f718b53176b2a8a124c9265bba",
    (SECRET, MARK_ID): "45750f3d47dd887cf2d00ae7690c0794",
    (b"\xff" * 16, 2**48 - 1): "0831ff9f2922ecac66a4fc5a54ac97db",
}

TILE_BEGINS = [1.37053, 1.35784, 1.10862, 0.55123, 0.91941, 1.49976]
GREY, LEVELS = 128, 28  # of golden/tile.png: the grey of 0, and how many greys to one deviation

# height and width -> the spread tile at the upper left, a third down and half across, and at the lower right
SPREAD = {
    (64, 64): (1.371, 0.704, 0.558),
    (160, 200): (1.289, -2.482, 1.274),
    (512, 512): (1.153, -0.302, 0.844),
    (400, 900): (1.216, 0.816, 0.791),
}


def digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array, "<i8").tobytes() for array in arrays)).hexdigest()[:32]


@pytest.mark.parametrize("secret", CARRIERS, ids=["counting", "ones"])
def test_a_secret_decides_the_same_carrier_for_ever(secret: bytes) -> None:
    made = carrier(secret)
    phase_n = np.rint(np.angle(made.phases_n) / (2 * np.pi) * 2**32) % 2**32
    assert digest(made.rows_n, made.columns_n, made.bit_n, made.scramble, phase_n) == CARRIERS[secret]


@pytest.mark.parametrize(("secret", "mark_id"), MESSAGES, ids=["zero", "counting", "ones"])
def test_an_id_is_coded_the_same_way_for_ever(secret: bytes, mark_id: int) -> None:
    assert digest(encode(pack(mark_id, carrier(secret).scramble))) == MESSAGES[secret, mark_id]


def one_tile() -> np.ndarray:
    made = carrier(SECRET)
    return tile(made, encode(pack(MARK_ID, made.scramble)), np.ones(CODED_BITS))


def test_the_tile_has_the_same_values_for_ever() -> None:
    assert one_tile()[0, :6] == pytest.approx(TILE_BEGINS, abs=1e-4)
    levels = decoded((GOLDEN / "tile.png").read_bytes())[..., 0].astype(float)
    assert np.abs((levels - GREY) / LEVELS - one_tile()).max() <= 0.51 / LEVELS


@pytest.mark.parametrize(("height", "width"), SPREAD)
def test_the_tile_lies_in_a_picture_of_one_size_at_the_same_places_for_ever(height: int, width: int) -> None:
    over = spread(one_tile(), height, width)
    places = over[0, 0], over[height // 3, width // 2], over[-1, -1]
    assert places == pytest.approx(SPREAD[height, width], abs=2e-3)


def test_ties_between_radii_are_exact_on_every_machine() -> None:
    made = carrier(SECRET)
    squares = made.frequencies_2n[0] ** 2 + made.frequencies_2n[1] ** 2
    assert np.array_equal(made.radius_n, np.sqrt(squares))


@pytest.mark.parametrize(
    ("short_side", "tiles"), [(64, 1), (159, 1), (160, 2), (383, 2), (384, 4), (1024, 4), (4096, 4)]
)
def test_pictures_of_one_size_have_the_same_number_of_tiles_for_ever(short_side: int, tiles: int) -> None:
    assert tiles_across(short_side) == tiles


@pytest.mark.parametrize("name", ["shapes-128.jpg", "clouds-192x128.jpg", "shapes-400-cropped.webp"])
def test_pictures_that_were_issued_can_still_be_read(name: str) -> None:
    mark = TssWatermarker.of(SECRET).identify(decoded((GOLDEN / name).read_bytes()))
    assert mark is not None
    assert mark.mark_id == MARK_ID


def test_the_names_of_mark_and_key_stay() -> None:
    assert TssWatermarker.alg == "org.darkroom.tss.1"
    assert Key(SECRET).id == "ae101766252ae599"
