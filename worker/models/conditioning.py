"""What a network is told besides the latents."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Conditioning:
    """One row's worth. `pooled_1P` and `time_ids_1K` are for families with added conditions (SDXL).

    `dropped_tokens` counts what the text encoder's window had no room for.
    """

    context_1TC: Tensor
    pooled_1P: Tensor | None = None
    time_ids_1K: Tensor | None = None
    dropped_tokens: int = 0

    def silenced(self) -> "Conditioning":
        """Zeros in the place of words: what Stable Diffusion XL learned of pictures without any."""
        pooled_1P = None if self.pooled_1P is None else torch.zeros_like(self.pooled_1P)
        return replace(self, context_1TC=torch.zeros_like(self.context_1TC), pooled_1P=pooled_1P)
