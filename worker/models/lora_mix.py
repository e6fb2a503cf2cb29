"""LoRAs laid over a network for one forward pass: every row has its own, or none.

Low-rank adaptation is Hu et al. 2021 (https://arxiv.org/abs/2106.09685): layer(x) + weight * scale * up(down(x)). It is
added by forward hooks that are there during the pass alone, so a network is the same bits before and after, and a pass
without LoRAs runs the network as it was loaded. Nothing is ever fused into weights. A network compiled by
`torch.compile` may skip hooks: passes with LoRAs need the one that is not compiled.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Conv2d, Linear, Module

from darkroom.catalog.lora_fit import layer_key
from darkroom.catalog.lora_header import LayerKey
from darkroom.errors import BrokenWeights
from worker.models.lora import Applied, Lora, Pair
from worker.models.lora_rows import Delta, Everywhere, RowByRow, Together

Layers = Mapping[LayerKey, Module]
RowKey = tuple[tuple[str, float], ...]


def adaptable_layers(networks: Mapping[str, Any]) -> dict[LayerKey, Module]:
    """The linear and convolution layers of networks by name, which are what LoRAs change."""
    return {
        layer_key(network, path): module
        for network, root in networks.items()
        for path, module in root.named_modules()
        if isinstance(module, Linear | Conv2d)
    }


def check_fit(lora: Lora, layers: Layers) -> None:
    """Raises: BrokenWeights where a layer is missing or of another shape; the gateway refuses such a request before."""
    for key, pair in lora.layers.items():
        weight = getattr(layers.get(key), "weight", None)
        if weight is None or weight.shape[:1] != pair.up.shape[:1] or weight.shape[1:] != pair.down.shape[1:]:
            raise BrokenWeights(f"LoRA {lora.sha256[:12]}", f"does not fit the model's layer {key[1]}")


def row_key(loras: Sequence[Applied]) -> RowKey:
    """The same for rows with the same LoRAs."""
    return tuple(applied.key for applied in loras)


class LoraMix:
    """Each layer's addition for the rows of a pass, made once and used at every step with the same rows."""

    def __init__(
        self, layers: Layers, network: str, rows: Sequence[Sequence[Applied]], *, row_by_row: bool = False
    ) -> None:
        """`rows` has the LoRAs of each row.

        With `row_by_row` every row is computed by itself, so that its bits do not depend on its neighbours' LoRAs.
        """
        keys = {key for loras in rows for applied in loras for key in applied.lora.layers if key[0] == network}
        self._deltas = [(layers[key], _delta(key, rows, row_by_row)) for key in sorted(keys)]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While this is open, the network computes with the LoRAs."""
        with ExitStack() as hooks:
            for module, delta in self._deltas:
                hooks.enter_context(module.register_forward_hook(delta))
            yield


def _delta(key: LayerKey, rows: Sequence[Sequence[Applied]], row_by_row: bool) -> Delta:
    pairs = [_together(key, loras) for loras in rows]
    if row_by_row:
        return RowByRow([(row, pair) for row, pair in enumerate(pairs) if pair is not None])
    if pairs[0] is not None and all(row_key(loras) == row_key(rows[0]) for loras in rows):
        return Everywhere(pairs[0])
    slots: dict[RowKey, int] = {}
    for loras, pair in zip(rows, pairs, strict=True):
        if pair is not None:
            slots.setdefault(row_key(loras), len(slots))
    at = [row for row, pair in enumerate(pairs) if pair is not None]
    distinct = {row_key(rows[row]): pair for row in at if (pair := pairs[row]) is not None}
    return Together(list(distinct.values()), at, [slots[row_key(rows[row])] for row in at], len(rows))


def _together(key: LayerKey, loras: Sequence[Applied]) -> Pair | None:
    """What several LoRAs do to one layer as one of the sum of their ranks; None when they leave it as it is."""
    touching = [(applied.lora.layers[key], applied.weight) for applied in loras if key in applied.lora.layers]
    if not touching:
        return None
    down = torch.cat([pair.down for pair, _ in touching])
    up: Tensor = torch.cat([pair.up * weight for pair, weight in touching], dim=1)
    return Pair(down, up)
