"""A safetensors file that the catalog describes -> its tensors, and what goes wrong on the way in our own words."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from darkroom.catalog.lora_header import UnreadLora
from darkroom.catalog.safetensors_header import UnsoundHeader
from darkroom.errors import BrokenWeights, MissingWeights


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises: MissingWeights, BrokenWeights, naming the file, for whatever reading it raises."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingWeights(path.name, "no such file") from error
    except (UnsoundHeader, UnreadLora, SafetensorError) as error:
        raise BrokenWeights(path.name, str(error)) from error
    except OSError as error:
        raise BrokenWeights(path.name, f"cannot be read ({type(error).__name__})") from error


def read_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read the file once, and see that it is the one with this hash. To be called while `reading`.

    Raises: BrokenWeights, and what `reading` translates.
    """
    return load(read_described(path, sha256))


def read_described(path: Path, sha256: str) -> bytes:
    """The content of the file with this hash. To be called while `reading`. Raises: BrokenWeights; OSError."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise not_described(path)
    return data


def not_described(path: Path) -> BrokenWeights:
    return BrokenWeights(path.name, "is not the file that the catalog describes")
