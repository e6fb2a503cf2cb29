import random

import numpy as np
import pytest
from numpy.typing import NDArray

from darkroom.provenance.trustmark.bch import Bch
from darkroom.provenance.trustmark.packet import PACKET_BITS, id_in, pack, text_of, unpack

KEY = b"golden"
MARK_ID = 0xC0FFEE123456
# Made by trustmark 0.9.2: DataLayer(100, False, 1).encode_binary of the first 61 bits.
BY_TRUSTMARK = {
    0x0: 0x1,
    0x1FFFFFFFFFFFFFFF: 0xFFFFFFFFFFFFFFFFAA9A70921,
    0x0123456789ABCDE: 0x91A2B3C4D5E6F22B3BBCF41,
}
PACKED_BY_TRUSTMARK = 0xC0FFEE1234562F5560498A9E1


def bits_of(packet: int) -> NDArray[np.uint8]:
    return np.array([int(bit) for bit in f"{packet:0{PACKET_BITS}b}"], np.uint8)


@pytest.mark.parametrize(("data", "packet"), BY_TRUSTMARK.items())
def test_check_bits_are_those_that_trustmark_makes(data: int, packet: int) -> None:
    check = Bch(5).encode(data << 3) & (1 << 35) - 1
    assert (data << 35 | check) << 4 | 1 == packet


def test_a_packet_is_bit_for_bit_the_one_that_trustmark_makes() -> None:
    assert pack(MARK_ID, KEY).tolist() == bits_of(PACKED_BY_TRUSTMARK).tolist()


def test_an_id_is_read_with_five_wrong_bits() -> None:
    draw = random.Random(3)
    for _ in range(8):
        bits = pack(MARK_ID, KEY)
        bits[draw.sample(range(96), 5)] ^= 1
        assert unpack(bits, KEY) == MARK_ID


def test_the_two_schema_bits_that_no_reader_looks_at_may_be_wrong() -> None:
    bits = pack(MARK_ID, KEY)
    bits[96:98] ^= 1
    assert unpack(bits, KEY) == MARK_ID


@pytest.mark.parametrize("place", [98, 99])
def test_a_packet_of_another_schema_is_not_read(place: int) -> None:
    bits = pack(MARK_ID, KEY)
    bits[place] ^= 1
    assert unpack(bits, KEY) is None


def test_the_mark_of_another_key_is_not_taken_for_ours() -> None:
    assert unpack(pack(MARK_ID, b"another"), KEY) is None


def test_a_packet_that_proves_nothing_is_not_read() -> None:
    assert unpack(bits_of(BY_TRUSTMARK[0x0123456789ABCDE]), KEY) is None


@pytest.mark.parametrize("mark_id", [-1, 1 << 48])
def test_an_id_that_is_not_of_48_bits_is_refused(mark_id: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        pack(mark_id, KEY)


def test_the_text_of_a_packet_is_the_one_that_trustmarks_tools_write_of_it() -> None:
    """The number of the schema, in the packet's last two bits, and its data."""
    packed = f"{PACKED_BY_TRUSTMARK:0{PACKET_BITS}b}"
    assert text_of(MARK_ID, KEY) == f"{int(packed[-2:], 2)}*{packed[:61]}"
    assert id_in(text_of(MARK_ID, KEY)) == MARK_ID


@pytest.mark.parametrize("text", ["", "1*", "2*" + "0" * 68, "1*" + "0" * 60, "1*" + "0" * 62, "1*" + "2" * 61])
def test_a_text_of_another_schema_names_no_id(text: str) -> None:
    assert id_in(text) is None
