"""What a network's folder may not bring: weights to be laid over those that are hashed, and asking for code or kernels.

Libraries act on it by themselves: transformers applies an adapter that it finds, and fetches attention kernels by name.
"""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from darkroom.catalog.configs import read_json
from darkroom.errors import BrokenWeights

ADAPTER = "adapter_config.json"
_FOREIGN = frozenset(
    {
        "_attn_implementation",
        "_experts_implementation",
        "attn_implementation",
        "auto_map",
        "experts_implementation",
        "quantization_config",
        "transformers_weights",  # another file to be loaded in the place of the one that is hashed
    }
)


def refuse_foreign(folder: Path, component: str = "") -> None:
    """Of the network in `folder`, or in a component of it. Raises: MissingWeights, BrokenWeights, naming the file."""
    adapter, config = (str(PurePosixPath(component, name)) for name in (ADAPTER, "config.json"))
    if os.path.lexists(folder / adapter):
        raise BrokenWeights(adapter, "would lay other weights over those that are described")
    refuse_foreign_config(config, read_json(folder, config))


def refuse_foreign_config(name: str, config: Mapping[str, Any]) -> None:
    """Of a configuration, and of those inside it. Raises: BrokenWeights, naming the file `name`."""
    left = [config]
    while left:
        fields = left.pop()
        left += [value for value in fields.values() if isinstance(value, dict)]
        if asked := {key for key in _FOREIGN & set(fields) if fields[key] is not None}:
            raise BrokenWeights(name, f"asks for {min(asked)}, which is not taken from a configuration")
