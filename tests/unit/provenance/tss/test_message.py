"""The message and the code that protects it."""

import binascii

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.provenance.tss.carrier import carrier
from darkroom.provenance.tss.convolutional_code import RATE, decode, encode
from darkroom.provenance.tss.message import CODED_BITS, MESSAGE_BITS, pack, unpack

SCRAMBLE = carrier(bytes(32)).scramble


def soft(coded: np.ndarray) -> np.ndarray:
    """Certain of every bit: positive for 0."""
    return 1.0 - 2.0 * coded


@given(st.integers(0, 2**48 - 1))
def test_every_id_comes_back_out_of_its_message(mark_id: int) -> None:
    assert unpack(pack(mark_id, SCRAMBLE), SCRAMBLE) == mark_id


@pytest.mark.parametrize("mark_id", [-1, 2**48])
def test_an_id_of_more_than_48_bits_is_refused(mark_id: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        pack(mark_id, SCRAMBLE)


def test_no_single_wrong_bit_gets_past_the_checksum() -> None:
    message = pack(0xC0FFEE, SCRAMBLE)
    for position in range(MESSAGE_BITS):
        wrong = message.copy()
        wrong[position] ^= 1
        assert unpack(wrong, SCRAMBLE) is None


def test_random_messages_get_past_the_checksum_once_in_65536() -> None:
    rng = np.random.default_rng(1)
    passed = sum(unpack(rng.integers(0, 2, MESSAGE_BITS, np.uint8), SCRAMBLE) is not None for _ in range(20_000))
    assert passed <= 3


def test_the_checksum_is_ccitt_false() -> None:
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1


def test_a_message_scrambled_by_another_key_does_not_unpack() -> None:
    assert unpack(pack(7, SCRAMBLE), carrier(bytes(31) + b"\1").scramble) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_message_survives_thirty_wrong_bits_of_192(seed: int) -> None:
    rng = np.random.default_rng(seed)
    message = rng.integers(0, 2, MESSAGE_BITS, np.uint8)
    received = soft(encode(message))
    wrong = rng.choice(CODED_BITS, 30, replace=False)
    received[wrong] *= -0.3  # those that come out wrong come out weak
    assert np.array_equal(decode(received, MESSAGE_BITS), message)


def test_nine_in_ten_messages_survive_noise_as_strong_as_themselves() -> None:
    rng = np.random.default_rng(2)
    right = 0
    for _ in range(40):
        message = rng.integers(0, 2, MESSAGE_BITS, np.uint8)
        received = soft(encode(message)) + rng.normal(0, 1, CODED_BITS)
        right += np.array_equal(decode(received, MESSAGE_BITS), message)
    assert right >= 36


def test_the_code_bites_its_tail() -> None:
    """Turning the message turns the coded bits: no bit has a worse place than another."""
    message = np.random.default_rng(3).integers(0, 2, MESSAGE_BITS, np.uint8)
    assert np.array_equal(encode(np.roll(message, 1)), np.roll(encode(message), RATE))


def test_the_code_is_linear_with_a_free_distance_of_18() -> None:
    """Lin and Costello, table 12.1: rate 1/3, memory 8."""
    assert encode(np.zeros(MESSAGE_BITS, np.uint8)).sum() == 0
    rng = np.random.default_rng(4)
    lightest = CODED_BITS
    for length in range(1, 10):
        for pattern in rng.integers(0, 2, (40, length), np.uint8):
            message = np.zeros(MESSAGE_BITS, np.uint8)
            message[0], message[1 : 1 + length] = 1, pattern
            lightest = min(lightest, int(encode(message).sum()))
    assert lightest == 18
