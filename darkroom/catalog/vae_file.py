"""A VAE in one `.safetensors` file: in Stability's layout, with or without the prefix it has in checkpoints, or in that
of diffusers. Such a file does not say how its latents are scaled; a sidecar may.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.catalog.original_configs import Incomplete, vae_config
from darkroom.catalog.original_names import Source, vae_in
from darkroom.catalog.safetensors_header import UnsoundHeader, read_header
from darkroom.catalog.sidecar import read_sidecar
from darkroom.errors import BrokenWeights, MissingWeights

SCALING = "scaling_factor"


@dataclass(frozen=True)
class OriginalVae:
    """`sources` are by diffusers' names; `config` is of diffusers, with a scaling factor of 0 where none is known."""

    sources: dict[str, Source]
    config: dict[str, Any]


def read_vae_file(file: Path) -> OriginalVae:
    """What is in `file`, from its header alone. Raises: MissingWeights, BrokenWeights, naming the file."""
    try:
        sources = vae_in({key: tuple(tensor.shape) for key, tensor in read_header(file).items()})
        return OriginalVae(sources, vae_config(sources, 0.0) | read_sidecar(file).vae)
    except FileNotFoundError as error:
        raise MissingWeights(file.name, "no such file") from error
    except (UnsoundHeader, Incomplete) as error:
        raise BrokenWeights(file.name, str(error)) from error
    except OSError as error:
        raise BrokenWeights(file.name, f"cannot be read ({type(error).__name__})") from error
