"""Muon: momentum, made orthogonal (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/)."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.95
ROUNDS = 5  # of Newton and Schulz's iteration
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of its quintic, steepest at zero
UPDATE_SCALE = 0.2  # updates get the root mean square of AdamW's (Liu et al. 2025, "Muon is Scalable for LLM Training")
SMALLEST_SIDE = 16  # matrices thinner than this gain nothing


def is_matrix(weight: Tensor) -> bool:
    """Whether Muon is for this weight: a matrix, or a convolution read as one of (out, in * kernel)."""
    return weight.ndim > 1 and min(weight.shape[0], weight[0].numel()) >= SMALLEST_SIDE


def orthogonal(matrices_NRC: Tensor) -> Tensor:
    """The nearest matrices whose singular values are all about one, R <= C: bfloat16, NRC."""
    a, b, c = COEFFICIENTS
    x_NRC = matrices_NRC.bfloat16()
    x_NRC = x_NRC / (x_NRC.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram_NRR = x_NRC @ x_NRC.mT
        x_NRC = a * x_NRC + (b * gram_NRR + c * gram_NRR @ gram_NRR) @ x_NRC
    return x_NRC


class Muon(torch.optim.Optimizer):
    """For weights of which `is_matrix` is true; weight decay as in AdamW."""

    def __init__(self, params: Iterable[Tensor], lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weights in _by_shape(group["params"]):
                updates = orthogonal(torch.stack([self._momentum(weight) for weight in weights]))
                for weight, update in zip(weights, updates, strict=True):
                    _apply(weight, update, group)

    def _momentum(self, weight: Tensor) -> Tensor:
        """Nesterov's momentum, as a matrix that is at least as wide as high."""
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        buffer = state["momentum"]
        assert weight.grad is not None
        buffer.lerp_(weight.grad, 1 - MOMENTUM)
        return _wide(weight.grad.lerp(buffer, MOMENTUM).flatten(1))


def _wide(matrix: Tensor) -> Tensor:
    return matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix


def _by_shape(weights: Iterable[Tensor]) -> Iterable[list[Tensor]]:
    """Matrices of one shape go through the iteration together."""
    shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
    for weight in weights:
        shapes[weight.flatten(1).shape].append(weight)
    return shapes.values()


def _apply(weight: Tensor, update: Tensor, group: dict[str, Any]) -> None:
    rows, columns = weight.flatten(1).shape
    turned = update.mT if rows > columns else update
    weight.mul_(1 - group["lr"] * group["weight_decay"])
    weight.add_(turned.reshape(weight.shape), alpha=-group["lr"] * UPDATE_SCALE * max(rows, columns) ** 0.5)
