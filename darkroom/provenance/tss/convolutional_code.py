"""Tail-biting convolutional code of rate 1/3, constraint length 9, decoded softly.

The generators 557, 663, 711 (octal) are the optimum free-distance code of Larsen (1973), table in Lin and Costello,
"Error Control Coding", ch. 12. Tail-biting starts the encoder in the state it will end in, so no bits are spent on
flushing; the decoder is the wrap-around Viterbi algorithm (Shao, Lin, Fossorier 2003).
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

GENERATORS: Final = (0o557, 0o663, 0o711)
MEMORY: Final = 8
STATES: Final = 1 << MEMORY
RATE: Final = len(GENERATORS)

Bits = NDArray[np.uint8]
Soft = NDArray[np.float64]


class _Trellis(NamedTuple):
    """Encoder seen from both ends: where a state goes, and the two branches that lead into it."""

    outputs_S2R: NDArray[np.uint8]
    next_S2: NDArray[np.intp]
    from_state_S2: NDArray[np.intp]
    from_bit_S2: NDArray[np.uint8]
    from_signs_S2R: Soft


@cache
def _trellis() -> _Trellis:
    registers_S2 = np.arange(STATES)[:, None] | (np.arange(2)[None, :] << MEMORY)
    taps_S2R = registers_S2[..., None] & np.array(GENERATORS)
    outputs_S2R = (np.bitwise_count(taps_S2R) & 1).astype(np.uint8)
    next_S2 = registers_S2 >> 1
    order = np.argsort(next_S2.ravel(), kind="stable").reshape(STATES, 2)
    from_state_S2, from_bit_S2 = order // 2, (order % 2).astype(np.uint8)
    signs = 1.0 - 2.0 * outputs_S2R[from_state_S2, from_bit_S2]
    return _Trellis(outputs_S2R, next_S2, from_state_S2, from_bit_S2, signs)


def encode(message: Bits) -> Bits:
    """Coded bits, `RATE` for each bit of the message, which must be longer than `MEMORY`."""
    trellis, state = _trellis(), 0
    for bit in message[-MEMORY:]:
        state = ((int(bit) << MEMORY) | state) >> 1
    coded = []
    for bit in message:
        coded.append(trellis.outputs_S2R[state, bit])
        state = trellis.next_S2[state, bit]
    return np.concatenate(coded)


def decode(soft: Soft, length: int) -> Bits:
    """Most likely message of `length` bits. `soft` holds length * RATE values, positive where a coded 0 is likelier."""
    trellis = _trellis()
    once_TR = soft.reshape(length, RATE)
    turns_TR = np.concatenate([once_TR, once_TR, once_TR[: length // 2]])
    gains_TS2 = np.einsum("sbr,tr->tsb", trellis.from_signs_S2R, turns_TR)
    metric_S = np.zeros(STATES)
    chosen_TS = np.empty((len(turns_TR), STATES), np.intp)
    for step, gain_S2 in enumerate(gains_TS2):
        candidates_S2 = metric_S[trellis.from_state_S2] + gain_S2
        chosen_TS[step] = candidates_S2[:, 1] > candidates_S2[:, 0]
        metric_S = candidates_S2.max(axis=1)
    return _trace_back(chosen_TS, int(np.argmax(metric_S)))[length : 2 * length]


def _trace_back(chosen_TS: NDArray[np.intp], state: int) -> Bits:
    trellis = _trellis()
    message = np.empty(len(chosen_TS), np.uint8)
    for step in range(len(chosen_TS) - 1, -1, -1):
        branch = chosen_TS[step, state]
        message[step] = trellis.from_bit_S2[state, branch]
        state = trellis.from_state_S2[state, branch]
    return message
