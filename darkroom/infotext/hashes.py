"""One digest for a checkpoint, of which A1111 shows the beginning."""

import hashlib
from collections.abc import Mapping

CHECKPOINT_HASH = 10
LORA_HASH = 12
CONTROLNET_HASH = 8


def weights_sha256(weights: Mapping[str, str]) -> str:
    """Of a single file its own, as A1111 has it; of several that of their digests. `weights`: path -> sha256."""
    if len(weights) == 1:
        return next(iter(weights.values()))
    return hashlib.sha256("\n".join(f"{path} {weights[path]}" for path in sorted(weights)).encode()).hexdigest()
