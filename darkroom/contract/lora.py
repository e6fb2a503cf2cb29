"""A LoRA that can be asked for, known from the header of its file without loading a weight."""

from typing import Literal

from darkroom.contract.base import Settled

LoraFormat = Literal["kohya", "diffusers"]


class LoraSpec(Settled):
    """`rank` is the largest of its layers; `networks` are the parts of a model it changes.

    `models` are the names of those whose layers it fits; `misfits` says of the others why not.
    """

    name: str
    path: str
    sha256: str
    bytes: int
    format: LoraFormat
    rank: int
    layers: int
    networks: tuple[str, ...]
    models: tuple[str, ...]
    misfits: dict[str, str]
