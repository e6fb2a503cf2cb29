"""Which files of a checkpoint hold its weights, and are they sound. Safetensors only."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from darkroom.catalog.configs import read_json
from darkroom.catalog.foreign import refuse_foreign
from darkroom.catalog.safetensors_header import UnsoundHeader, read_header
from darkroom.errors import BrokenWeights, MissingWeights

# Full precision first: it is what loading without a variant takes.
_VARIANTS = ("", ".fp16")
_SHARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors")


def weight_digests(folder: Path, components: tuple[str, ...], sha256: Callable[[Path], str]) -> dict[str, str]:
    """sha256 of each weight file, by its path in the checkpoint, after its header was found sound.

    Raises: MissingWeights, BrokenWeights, both naming the file.
    """
    for component in components:
        refuse_foreign(folder, component)
    names = [name for component in components for name in _files_of(folder, component)]
    return {name: file_digest(folder, name, sha256) for name in sorted(names)}


def fresh_sha256(file: Path) -> str:
    """Of the file as it is now. Raises: OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _files_of(folder: Path, component: str) -> Iterator[str]:
    stem = "model" if component.startswith("text_encoder") else "diffusion_pytorch_model"
    for variant in _VARIANTS:
        name = f"{component}/{stem}{variant}.safetensors"
        index = f"{component}/{stem}.safetensors.index{variant}.json"
        if (folder / name).exists():
            _refuse_index_beside(folder, component, stem)
            return iter([name])
        if (folder / index).exists():
            return _shards(folder, component, index)
    raise MissingWeights(f"{component}/{stem}.safetensors", "no such file")


def _refuse_index_beside(folder: Path, component: str, stem: str) -> None:
    """diffusers loads the shards of an index, where there is one, and transformers the whole file."""
    indexes = sorted((folder / component).glob(f"{stem}.safetensors*index*.json"))
    if indexes and not component.startswith("text_encoder"):
        raise BrokenWeights(f"{component}/{indexes[0].name}", "names shards beside a file that is whole: remove one")


def _shards(folder: Path, component: str, index: str) -> Iterator[str]:
    """Files a shard index names. They are names, never paths: an index must not lead out of its own folder."""
    weight_map = read_json(folder, index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise BrokenWeights(index, "has no weight_map")
    shards = set(map(str, weight_map.values()))
    if not all(_SHARD.fullmatch(shard) for shard in shards):
        raise BrokenWeights(index, "names a file outside its folder")
    return (f"{component}/{shard}" for shard in shards)


def file_digest(folder: Path, name: str, sha256: Callable[[Path], str] = fresh_sha256) -> str:
    """sha256 of a file whose header is sound. Raises: MissingWeights, BrokenWeights, naming the file."""
    try:
        read_header(folder / name)
        return sha256(folder / name)
    except FileNotFoundError as error:
        raise MissingWeights(name, "no such file") from error
    except UnsoundHeader as error:
        raise BrokenWeights(name, str(error)) from error
    except OSError as error:
        raise BrokenWeights(name, f"cannot be read ({type(error).__name__})") from error
