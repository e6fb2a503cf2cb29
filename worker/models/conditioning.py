"""What a network is told besides the latents."""

from dataclasses import dataclass

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
