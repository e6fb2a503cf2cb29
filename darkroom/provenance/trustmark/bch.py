"""Binary BCH codes over GF(2^7), shortened to the message at hand.

The decoder is Berlekamp and Massey's, then a search through all positions (Lin and Costello, Error Control Coding,
ch. 6).
"""

from typing import Final

_FIELD: Final = 0b10001001  # x^7 + x^3 + 1, primitive; TrustMark's 137
_ORDER: Final = 127


def _powers() -> list[int]:
    powers = [1]
    while len(powers) < _ORDER:
        doubled = powers[-1] << 1
        powers.append(doubled ^ _FIELD if doubled > _ORDER else doubled)
    return powers


_EXP: Final = _powers()
_LOG: Final = {value: power for power, value in enumerate(_EXP)}


def _times(a: int, b: int) -> int:
    return _EXP[(_LOG[a] + _LOG[b]) % _ORDER] if a and b else 0


def _over(a: int, b: int) -> int:
    return _EXP[(_LOG[a] - _LOG[b]) % _ORDER] if a else 0


def _generator(errors: int) -> int:
    """The product of the minimal polynomials of alpha^1 ... alpha^2t; bit i is the coefficient of x^i."""
    roots = {(odd << turn) % _ORDER for odd in range(1, 2 * errors, 2) for turn in range(7)}
    product = [1]
    for root in roots:
        shifted = [0, *product]
        product = [high ^ _times(low, _EXP[root]) for high, low in zip(shifted, [*product, 0], strict=True)]
    return sum(bit << power for power, bit in enumerate(product))


class Bch:
    """Corrects up to `errors` wrong bits.

    Words are ints whose bit i is the coefficient of x^i: the message above, the check bits below.
    """

    def __init__(self, errors: int) -> None:
        self._errors = errors
        self._generator = _generator(errors)
        self.check_bits: Final = self._generator.bit_length() - 1

    def encode(self, message: int) -> int:
        """The code word of a message of at most 127 - check_bits bits. Raises: ValueError for one that is longer."""
        if not 0 <= message < 1 << (_ORDER - self.check_bits):
            raise ValueError("the message does not fit into the code")
        rest = word = message << self.check_bits
        while rest.bit_length() > self.check_bits:
            rest ^= self._generator << (rest.bit_length() - self._generator.bit_length())
        return word | rest

    def correct(self, word: int) -> int | None:
        """The nearest code word, or None when none is within reach."""
        syndromes = _syndromes(word, 2 * self._errors)
        if not any(syndromes):
            return word
        locator = _locator(syndromes)
        wrong = [place for place in range(_ORDER) if _value(locator, -place) == 0]
        if len(wrong) != len(locator) - 1 or len(wrong) > self._errors:
            return None
        return word ^ sum(1 << place for place in wrong)


def _syndromes(word: int, count: int) -> list[int]:
    places = [place for place in range(word.bit_length()) if word >> place & 1]
    return [_value_of_ones(places, power) for power in range(1, count + 1)]


def _value_of_ones(places: list[int], power: int) -> int:
    total = 0
    for place in places:
        total ^= _EXP[place * power % _ORDER]
    return total


def _value(polynomial: list[int], power: int) -> int:
    total = 0
    for degree, coefficient in enumerate(polynomial):
        total ^= _times(coefficient, _EXP[power * degree % _ORDER])
    return total


def _locator(syndromes: list[int]) -> list[int]:
    """The shortest register that makes the syndromes, lowest degree first; its roots are the wrong places' inverses."""
    current, before, length, gap, last = [1], [1], 0, 1, 1
    for step in range(len(syndromes)):
        off = _discrepancy(current, syndromes, step)
        if not off:
            gap += 1
            continue
        longer = _minus(current, before, _over(off, last), gap)
        if 2 * length <= step:
            before, last, length, gap = current, off, step + 1 - length, 1
        else:
            gap += 1
        current = longer
    while not current[-1]:
        current.pop()
    return current


def _discrepancy(register: list[int], syndromes: list[int], step: int) -> int:
    total = 0
    for back, coefficient in enumerate(register[: step + 1]):
        total ^= _times(coefficient, syndromes[step - back])
    return total


def _minus(register: list[int], other: list[int], factor: int, shift: int) -> list[int]:
    result = register + [0] * max(0, len(other) + shift - len(register))
    for degree, coefficient in enumerate(other):
        result[degree + shift] ^= _times(coefficient, factor)
    return result
