"""Is all of what a setting names by hub id on this machine? Its own reader says so, from headers: nothing is hashed."""

from collections.abc import Callable, Mapping
from pathlib import Path

from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.catalog.controlnets import Place, read_controlnet
from darkroom.catalog.embeddings import read_embedding
from darkroom.catalog.hub import HubId, located, located_file
from darkroom.catalog.loras import read_lora
from darkroom.catalog.preprocessor_files import files_of
from darkroom.catalog.single_file import is_single_file, read_single_file
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.catalog.vaes import read_vae
from darkroom.cli.choosing import METHODS
from darkroom.contract.control import CONTROL_TYPES
from darkroom.errors import MissingWeights


def is_complete(setting: str, name: str, wanted: HubId) -> bool:
    """Whether the setting's entry `name` can be read."""
    lacking: list[Unavailable] = []
    place = Path(str(wanted))
    with set_aside(name, place, lacking):
        _READERS[setting](name, place)
    return not lacking


def _unhashed(_: Path) -> str:
    return "0" * 64


def _model(name: str, place: Path) -> None:
    path = located(place)
    if is_single_file(path):
        read_single_file(name, path, _unhashed, str)  # a tokenizer for it comes from elsewhere
        return
    read_checkpoint(name, path, _unhashed)
    # Only loading asks for these, and the catalog believes that they are there.
    for folder in path.glob("tokenizer*"):
        if not (folder / "tokenizer.json").exists() and not all(
            (folder / file).exists() for file in ("vocab.json", "merges.txt")
        ):
            raise MissingWeights(f"{folder.name}/tokenizer.json", "no such file")


def _preprocessor(name: str, place: Path) -> None:
    files_of(METHODS[name], located(place))


_READERS: Mapping[str, Callable[[str, Path], object]] = {
    "models": _model,
    "vaes": lambda name, place: read_vae(name, located(place), {}, _unhashed),
    "controlnets": lambda name, place: read_controlnet(name, Place(CONTROL_TYPES[0], place), (), _unhashed),
    "preprocessors": _preprocessor,
    "loras": lambda name, place: read_lora(name, located_file(place), {}, _unhashed),
    "embeddings": lambda name, place: read_embedding(name, located_file(place), (), _unhashed),
}
