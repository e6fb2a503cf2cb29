"""What is done to all images of a lane at once: guidance, and the sums that give the next latents.

Operations are elementwise, so an image's bits do not depend on its neighbours.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from worker.engine.course import Weighted


def guide(scales: Sequence[float], unconditional: Sequence[Tensor], conditional: Sequence[Tensor]) -> list[Tensor]:
    """Classifier-free guidance after Ho and Salimans, https://arxiv.org/abs/2207.12598. One 1 C H W an image."""
    if not scales:
        return []
    unconditional_NCHW, conditional_NCHW = torch.cat(list(unconditional)), torch.cat(list(conditional))
    scales_N111 = _column(scales, conditional_NCHW)
    guided_NCHW = unconditional_NCHW + scales_N111 * (conditional_NCHW - unconditional_NCHW)
    return list(torch.split(guided_NCHW, 1))


def add_up(sums: Sequence[Sequence[Weighted]]) -> list[Tensor]:
    """Each sum, 1 C H W, all of them in as many operations as the longest has summands.

    Sums are taken in the order of their length, so that those with a k-th summand are always the first ones.
    """
    if not sums:
        return []
    order = sorted(range(len(sums)), key=lambda index: -len(sums[index]))
    longest = sums[order[0]]
    first = longest[0].tensor_1CHW
    total_NCHW = torch.zeros(len(sums), *first.shape[1:], dtype=first.dtype, device=first.device)
    for place in range(len(longest)):
        summands = [sums[index][place] for index in order if place < len(sums[index])]
        weights_N111 = _column([summand.weight for summand in summands], first)
        summands_NCHW = torch.cat([summand.tensor_1CHW for summand in summands])
        total_NCHW[: len(summands)] += summands_NCHW * weights_N111
    totals = dict(zip(order, torch.split(total_NCHW, 1), strict=True))
    return [totals[index] for index in range(len(sums))]


def _column(numbers: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None, None, None]
