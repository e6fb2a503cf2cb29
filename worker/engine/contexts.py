"""Prompts of different lengths in one pass.

Attention over a context that is repeated whole is attention over the context itself: every key comes k times with the
same value, and the softmax's sum is k times as large. So rows are repeated to their least common multiple, as in
`CONDCrossAttn` of ComfyUI and Forge. That needs no mask, which ControlNets do not take and fast kernels do not like.
"""

from collections.abc import Sequence
from math import lcm

import torch
from torch import Tensor

# Tokens to which contexts are repeated to share a pass: 4 chunks of 77. Measured with 8 rows in the embedded model's
# size, where attention to the prompt weighs most: 1 and 2 chunks take 53 ms together and 60 ms apart; 1, 2 and 3,
# which meet at 6, 85 ms and 71 ms.
MOST_SHARED_TOKENS = 308


def sharing(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Indices of rows that share passes: their lengths are equal, or have a common multiple of at most `most`."""
    groups: list[tuple[int, list[int]]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        for place, (length, together) in enumerate(groups):
            joint = lcm(length, lengths[index])
            if lengths[index] == length or joint <= most:
                groups[place] = joint, [*together, index]
                break
        else:
            groups.append((lengths[index], [index]))
    return [together for _, together in groups]


def contexts(contexts_1TC: Sequence[Tensor]) -> Tensor:
    """All contexts in one tensor R T C, each repeated to the least common multiple of their lengths."""
    longest = lcm(*(context_1TC.shape[1] for context_1TC in contexts_1TC))
    return torch.cat([context_1TC.repeat(1, longest // context_1TC.shape[1], 1) for context_1TC in contexts_1TC])
