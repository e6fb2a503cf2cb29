import random
from itertools import combinations

import pytest

from darkroom.provenance.trustmark.bch import Bch

MESSAGE = 0x0123456789ABCDEF


@pytest.mark.parametrize(("errors", "check_bits"), [(3, 21), (4, 28), (5, 35), (8, 56)])
def test_codes_have_the_check_bits_of_trustmarks_schemas(errors: int, check_bits: int) -> None:
    assert Bch(errors).check_bits == check_bits


def test_every_pair_of_wrong_bits_is_corrected() -> None:
    code = Bch(2)
    word = code.encode(0b1011)
    pairs = list(combinations(range(word.bit_length()), 2))
    assert pairs
    assert all(code.correct(word ^ 1 << one ^ 1 << other) == word for one, other in pairs)


@pytest.mark.parametrize("errors", [3, 4, 5])
def test_as_many_wrong_bits_as_promised_are_corrected(errors: int) -> None:
    code, draw = Bch(errors), random.Random(errors)
    word = code.encode(MESSAGE)
    for wrong in range(errors + 1):
        broken = word ^ sum(1 << place for place in draw.sample(range(64 + code.check_bits), wrong))
        assert code.correct(broken) == word


def test_more_wrong_bits_never_give_a_word_that_is_not_of_the_code() -> None:
    code, draw = Bch(5), random.Random(7)
    found = [code.correct(draw.getrandbits(99)) for _ in range(40)]
    assert None in found
    assert all(code.encode(word >> 35) == word for word in found if word is not None)


def test_a_message_longer_than_the_code_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Bch(5).encode(1 << 92)
