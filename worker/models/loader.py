"""What the catalog describes -> Checkpoint. Nothing here can reach a hub or run a checkpoint's own code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from darkroom.catalog.checkpoint import TEXT_ENCODERS, read_checkpoint, tokenizer_of
from darkroom.catalog.configs import read_json
from darkroom.catalog.single_file import read_original, single_file
from darkroom.catalog.weights import file_digest, fresh_sha256, weight_digests
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights
from worker.models.autoencoder import network_bytes
from worker.models.checkpoint import Checkpoint
from worker.models.clip import ClipEncoder, normed, penultimate
from worker.models.embeddings import Shelf, no_embeddings
from worker.models.kernels import PLAIN, Kernels
from worker.models.lora_mix import adaptable_layers
from worker.models.networks import load_network, load_tokenizer, placed
from worker.models.scheduler_config import scheduler_config
from worker.models.single_file import build_network
from worker.models.text import ClipText, RememberedText
from worker.models.tokenizer import open_tokenizer

_NETWORKS = {
    "text_encoder": CLIPTextModel,
    "text_encoder_2": CLIPTextModelWithProjection,
    "unet": UNet2DConditionModel,
    "vae": AutoencoderKL,
}


@dataclass(frozen=True)
class Parts:
    """What a checkpoint is put together from. Networks are by component, tokenizers by that of their encoder."""

    networks: Mapping[str, Any]
    tokenizers: Mapping[str, Any]
    scheduler: Mapping[str, Any]


def load_folder(name: str, folder: Path, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Load the checkpoint in `folder` under `name`. Raises: MissingWeights, BrokenWeights, naming the file."""
    return load_checkpoint(read_checkpoint(name, folder, fresh_sha256), device, dtype)


def load_checkpoint(
    spec: ModelSpec,
    device: torch.device,
    dtype: torch.dtype,
    shelf: Shelf = no_embeddings,
    kernels: Kernels = PLAIN,
) -> Checkpoint:
    """Load what `spec` describes, in eval mode, without gradients. Prompts may name embeddings of `shelf`.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    verify_files(spec)
    parts = _of_single_file(spec, dtype) if spec.layout == "single_file" else _of_folder(spec, dtype)
    networks = {component: placed(network, device) for component, network in parts.networks.items()}
    kernels.prepare(networks["unet"])
    return Checkpoint(
        spec=spec,
        unet=networks["unet"],
        vae=networks["vae"],
        text=RememberedText(ClipText(list(_encoders(spec, parts)), shelf)),
        scheduler_config=scheduler_config(spec, parts.scheduler),
        device=device,
        dtype=dtype,
        bytes=sum(network_bytes(network) for network in networks.values()),
        layers=adaptable_layers({name: network for name, network in networks.items() if name != "vae"}),
        kernels=kernels,
    )


def verify_files(spec: ModelSpec) -> None:
    """Check headers and hashes of all weight files against `spec`.

    They are hashed again because a receipt must be true of what is loaded, also when somebody has replaced a file
    since the catalog was read. Raises: MissingWeights, BrokenWeights, naming the file.
    """
    found = _digests(spec)
    for file, digest in spec.weights.items():
        if file not in found:
            raise MissingWeights(file, "no such file")
        if found[file] != digest:
            raise BrokenWeights(file, "is not the file that the catalog describes")


def _digests(spec: ModelSpec) -> dict[str, str]:
    folder = Path(spec.path)
    if spec.layout == "single_file":
        return {file: file_digest(folder, file) for file in spec.weights}
    components = tuple(sorted({file.split("/")[0] for file in spec.weights}))
    return weight_digests(folder, components, fresh_sha256)


def _of_folder(spec: ModelSpec, dtype: torch.dtype) -> Parts:
    folder = Path(spec.path)
    networks = {
        component: load_network(_NETWORKS[component], folder, file, dtype)
        for component, file in _first_files(spec).items()
    }
    tokenizers = {each: load_tokenizer(folder, tokenizer_of(each)) for each in TEXT_ENCODERS if each in networks}
    return Parts(networks, tokenizers, read_json(folder, "scheduler/scheduler_config.json"))


def _of_single_file(spec: ModelSpec, dtype: torch.dtype) -> Parts:
    file = single_file(spec)
    original = read_original(file)
    networks = {
        component: build_network(_NETWORKS[component], original.configs[component], sources, file, dtype)
        for component, sources in original.networks.items()
    }
    tokenizers = {
        encoder: open_tokenizer(Path(spec.tokenizer), original.configs[encoder], original.open_clip(encoder))
        for encoder in TEXT_ENCODERS
        if encoder in networks
    }
    return Parts(networks, tokenizers, original.configs["scheduler"])


def _first_files(spec: ModelSpec) -> dict[str, str]:
    """The first file of each component with weights."""
    first: dict[str, str] = {}
    for file in sorted(spec.weights):
        first.setdefault(file.split("/")[0], file)
    return first


def _encoders(spec: ModelSpec, parts: Parts) -> Iterator[ClipEncoder]:
    reading = penultimate if spec.is_xl else normed
    for encoder, tokenizer in parts.tokenizers.items():
        yield ClipEncoder(tokenizer, parts.networks[encoder], reading)
