"""By which kernels a U-Net is computed: which attention, and whether its repeated blocks are compiled.

Regional compilation (https://docs.pytorch.org/tutorials/recipes/regional_compilation.html) compiles a transformer block
once for all its repetitions. Compiled code is for certain shapes, so rows are then padded to a few counts.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

Attention = Literal["auto", "flash", "cudnn", "efficient", "math"]

_BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
# Kernels refuse some shapes: cuDNN's and flash attention have a largest head. These take any.
_ANY_SHAPE = (SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)

# Shapes of one block that may be compiled: widths of the network times counts of rows times sizes of pictures. Beyond
# it torch would go on without compiling, or refuse.
MOST_SHAPES = 256


@dataclass(frozen=True)
class Kernels:
    """`compiled` U-Nets get their rows in buckets."""

    attention: Attention = "auto"
    compiled: bool = False

    def prepare(self, unet: Any, **options: Any) -> None:
        """Have the blocks of `unet` compiled when they are first run; `options` are `torch.compile`'s."""
        if self.compiled:
            torch._dynamo.config.recompile_limit = MOST_SHAPES
            torch._dynamo.config.accumulated_recompile_limit = 4 * MOST_SHAPES
            unet.compile_repeated_blocks(dynamic=False, **options)

    def attending(self) -> AbstractContextManager[None]:
        """While this is open, attention is computed as chosen, or by what takes the shape where that does not."""
        if self.attention == "auto":
            return nullcontext()
        return sdpa_kernel(list(dict.fromkeys((_BACKENDS[self.attention], *_ANY_SHAPE))), set_priority=True)

    def uncompiled(self) -> AbstractContextManager[None]:
        """While this is open, everything runs as it is written. Compiled code does not see hooks that come later."""
        if not self.compiled:
            return nullcontext()
        eagerly: Callable[[str], AbstractContextManager[None]] = torch.compiler.set_stance
        return eagerly("force_eager")

    def bucket(self, rows: int, most_rows: int) -> int:
        """Rows of a pass that has to compute `rows`: the next power of two, so that shapes come again."""
        return min(1 << (rows - 1).bit_length(), most_rows) if self.compiled else rows


PLAIN = Kernels()
