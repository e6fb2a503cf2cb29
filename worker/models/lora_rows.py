"""What LoRAs add to the output of one layer, three ways: to all rows alike, row by row, or to many rows at once.

Each is a forward hook of the layer. `R` rows, `N` of them with a LoRA, `S` different ones ("slots"), rank `P`.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Conv2d, Module
from torch.nn.utils.rnn import pad_sequence

from worker.models.lora import Pair


class Delta(Protocol):
    def __call__(self, module: Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """The layer's output with what the LoRAs add. The first dimension of tensors is the row."""
        ...


class Everywhere:
    """One change for all rows, however many there are."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    def __call__(self, module: Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + _change(module, inputs[0], self._pair)


class RowByRow:
    """A row at a time, in shapes that are its own: its bits do not depend on what its neighbours need."""

    def __init__(self, rows: Sequence[tuple[int, Pair]]) -> None:
        self._rows = rows

    def __call__(self, module: Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        for row, pair in self._rows:
            output[row : row + 1] += _change(module, inputs[0][row : row + 1], pair)
        return output


class Together:
    """All rows in two batched products: each row's pair is gathered from its slot, ranks padded with zeros.

    A row never meets another row's numbers, so one that overflows spoils no neighbour.
    """

    def __init__(self, slots: Sequence[Pair], rows: Sequence[int], slot_of_row: Sequence[int], row_count: int) -> None:
        """`rows` have a LoRA, out of `row_count`; `slot_of_row` says which, for each of them."""
        device = slots[0].down.device
        # Rank first, so that it can be padded.
        self._downs_SPI = pad_sequence([pair.down for pair in slots], batch_first=True)
        self._ups_SPO = pad_sequence([pair.up.flatten(1).T for pair in slots], batch_first=True).contiguous()
        self._rows_N = torch.tensor(rows, device=device) if len(rows) < row_count else None
        self._slots_N = torch.tensor(slot_of_row, device=device)

    def __call__(self, module: Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x = inputs[0] if self._rows_N is None else inputs[0].index_select(0, self._rows_N)
        downs = self._downs_SPI.index_select(0, self._slots_N)
        ups_NPO = self._ups_SPO.index_select(0, self._slots_N)
        if self._rows_N is None and not isinstance(module, Conv2d):
            return _multiplied_onto(output, x, downs, ups_NPO)
        added = _convolved(module, x, downs, ups_NPO) if isinstance(module, Conv2d) else _multiplied(x, downs, ups_NPO)
        if self._rows_N is None:
            return output.add_(added.view_as(output))
        return output.index_add_(0, self._rows_N, added.view(-1, *output.shape[1:]))


def _change(module: Module, x: Tensor, pair: Pair) -> Tensor:
    if isinstance(module, Conv2d):
        low = F.conv2d(x, pair.down, None, module.stride, module.padding, module.dilation)
        return F.conv2d(low, pair.up)
    return F.linear(F.linear(x, pair.down), pair.up)


def _multiplied(x: Tensor, downs_NPI: Tensor, ups_NPO: Tensor) -> Tensor:
    """N T O of x, N ... I."""
    x_NTI = x.reshape(len(x), -1, x.shape[-1])
    return torch.bmm(torch.bmm(x_NTI, downs_NPI.transpose(1, 2)), ups_NPO)


def _multiplied_onto(output: Tensor, x: Tensor, downs_NPI: Tensor, ups_NPO: Tensor) -> Tensor:
    """`_multiplied`, added in the same operation: nothing of the output's size is written twice."""
    x_NTI = x.reshape(len(x), -1, x.shape[-1])
    added_to = output.view(*x_NTI.shape[:2], output.shape[-1])
    return added_to.baddbmm_(torch.bmm(x_NTI, downs_NPI.transpose(1, 2)), ups_NPO).view_as(output)


def _convolved(module: Conv2d, x_NIHW: Tensor, downs_NPIHW: Tensor, ups_NPO: Tensor) -> Tensor:
    """N O L of x, as one convolution of N groups; L is height times width of the output."""
    rows, rank = downs_NPIHW.shape[:2]
    x_1GHW = x_NIHW.reshape(1, -1, *x_NIHW.shape[2:])
    kernels = downs_NPIHW.flatten(0, 1)
    low_1GHW = F.conv2d(x_1GHW, kernels, None, module.stride, module.padding, module.dilation, groups=rows)
    return torch.bmm(ups_NPO.transpose(1, 2), low_1GHW.view(rows, rank, -1))
