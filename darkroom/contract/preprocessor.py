"""What makes control maps of one type, known without loading it."""

from typing import Literal

from darkroom.contract.base import Settled
from darkroom.contract.control import ControlType

MapMethod = Literal["canny", "xdog", "lsd", "gradients", "hed", "depth", "segmentation", "pose"]


class PreprocessorSpec(Settled):
    """`files` are those it is loaded from, path in `folder` -> sha256: none for what needs no weights.
    `bytes` is what they take in memory.

    `digest` names all that decides what its maps look like: the same picture and the same digest give the same map.
    """

    type: ControlType
    method: MapMethod
    folder: str
    files: dict[str, str]
    bytes: int
    digest: str
