"""Which files of a repository on the hub are wanted: those that are read here, by their names, and no others."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from darkroom.catalog.hub import HubId
from darkroom.catalog.preprocessors import FROM_WEIGHTS
from darkroom.catalog.sidecar import SUFFIX as SIDECAR
from darkroom.contract.preprocessor import MapMethod

_NETWORKS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
    "text_encoder_2": "model",
}
_TOKENIZER = (
    "tokenizer_config.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)
_DESCRIPTIONS = frozenset(
    {
        "model_index.json",
        "scheduler/scheduler_config.json",
        *(f"{network}/config.json" for network in _NETWORKS),
        *(f"{folder}/{name}" for folder in ("tokenizer", "tokenizer_2") for name in _TOKENIZER),
    }
)
_TRANSFORMERS = ("config.json", "preprocessor_config.json", "model.safetensors")
METHODS: Mapping[str, MapMethod] = {str(kind): method for kind, method in FROM_WEIGHTS.items()}
_SAFETENSORS, _ONNX = ".safetensors", ".onnx"


class NotDownloaded(Exception):
    """Why, in our words."""


def chosen(setting: str, name: str, files: Collection[str], wanted: HubId) -> list[str]:
    """Of all `files` in the repository those that the setting's entry `name` is read from, with weights among them.

    Raises: NotDownloaded for a repository that holds no weights of its kind, or several where one is meant.
    """
    method = METHODS.get(name) if setting == "preprocessors" else None
    suffix = _ONNX if method == "pose" else _SAFETENSORS
    if wanted.file:
        return _named(files, wanted, suffix)
    if setting == "models":
        return sorted(_of_model(files))
    if setting in ("vaes", "controlnets"):
        return sorted(_of_network(files, "", "diffusion_pytorch_model"))
    if method in ("depth", "segmentation"):
        return sorted(_all_of(files, _TRANSFORMERS))
    top = sorted(file for file in files if file.endswith(suffix) and "/" not in file)
    if not top:
        raise NotDownloaded(f"holds no {suffix} file")
    if len(top) > 1 and method != "pose":
        raise NotDownloaded(f"holds {len(top)} {suffix} files: name one, as {wanted}:FILE")
    return top


def _named(files: Collection[str], wanted: HubId, suffix: str) -> list[str]:
    """That file, and what describes it."""
    if not wanted.file.endswith(suffix):
        raise NotDownloaded(f"is not a {suffix} file")
    if wanted.file not in files:
        raise NotDownloaded("holds no such file")
    return sorted({wanted.file, str(PurePosixPath(wanted.file).with_suffix(SIDECAR))} & set(files))


def _of_model(files: Collection[str]) -> Iterator[str]:
    """What a pipeline is read from, of one text encoder or two."""
    yield from _DESCRIPTIONS & set(files)
    encoders = [each for each in _NETWORKS if each.startswith("text_") and f"{each}/config.json" in files]
    for network in ("unet", "vae", *(encoders or ["text_encoder"])):
        yield from _weights(files, f"{network}/", _NETWORKS[network])


def _of_network(files: Collection[str], folder: str, stem: str) -> Iterator[str]:
    yield from _all_of(files, (f"{folder}config.json",))
    yield from _weights(files, folder, stem)


def _all_of(files: Collection[str], names: Collection[str]) -> Collection[str]:
    if absent := sorted(set(names) - set(files)):
        raise NotDownloaded(f"holds no {absent[0]}")
    return names


def _weights(files: Collection[str], folder: str, stem: str) -> list[str]:
    """In full precision, or else the `fp16` variant: what loading takes. In one file, or in shards by an index."""
    for variant in ("", ".fp16"):
        whole, index = f"{folder}{stem}{variant}.safetensors", f"{folder}{stem}.safetensors.index{variant}.json"
        if whole in files:
            return [whole]
        if index in files:
            shard = re.compile(re.escape(f"{folder}{stem}{variant}") + r"-\d+-of-\d+\.safetensors")
            return [index, *filter(shard.fullmatch, files)]
    raise NotDownloaded(f"holds no {folder}{stem}.safetensors")
