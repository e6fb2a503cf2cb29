"""A folder in diffusers layout -> Checkpoint. Nothing here can reach a hub or run a checkpoint's own code."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from darkroom.catalog.checkpoint import read_checkpoint
from darkroom.catalog.configs import read_json
from darkroom.catalog.weights import fresh_sha256, weight_digests
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights
from worker.models.autoencoder import network_bytes
from worker.models.checkpoint import Checkpoint
from worker.models.embeddings import Shelf, no_embeddings
from worker.models.lora_mix import adaptable_layers
from worker.models.networks import load_network, load_tokenizer
from worker.models.text import ClipText, RememberedText

_NETWORKS = {"text_encoder": CLIPTextModel, "unet": UNet2DConditionModel, "vae": AutoencoderKL}


def load_folder(name: str, folder: Path, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Load the checkpoint in `folder` under `name`. Raises: MissingWeights, BrokenWeights, naming the file."""
    return load_checkpoint(read_checkpoint(name, folder, fresh_sha256), device, dtype)


def load_checkpoint(
    spec: ModelSpec, device: torch.device, dtype: torch.dtype, shelf: Shelf = no_embeddings
) -> Checkpoint:
    """Load what `spec` describes, in eval mode, without gradients. Prompts may name embeddings of `shelf`.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    folder = Path(spec.path)
    _check_served(spec, folder)
    verify_files(spec)
    networks = {
        component: load_network(kind, folder, _first_file(spec, component), dtype).to(device)
        for component, kind in _NETWORKS.items()
    }
    return Checkpoint(
        spec=spec,
        unet=networks["unet"],
        vae=networks["vae"],
        text=RememberedText(ClipText(load_tokenizer(folder), networks["text_encoder"], shelf)),
        scheduler_config=read_json(folder, "scheduler/scheduler_config.json"),
        device=device,
        dtype=dtype,
        bytes=sum(network_bytes(network) for network in networks.values()),
        layers=adaptable_layers({name: network for name, network in networks.items() if name != "vae"}),
    )


def verify_files(spec: ModelSpec) -> None:
    """Check headers and hashes of all weight files against `spec`.

    They are hashed again because a receipt must be true of what is loaded, also when somebody has replaced a file
    since the catalog was read. Raises: MissingWeights, BrokenWeights, naming the file.
    """
    components = tuple(sorted({file.split("/")[0] for file in spec.weights}))
    found = weight_digests(Path(spec.path), components, fresh_sha256)
    for file, digest in spec.weights.items():
        if file not in found:
            raise MissingWeights(file, "no such file")
        if found[file] != digest:
            raise BrokenWeights(file, "is not the file that the catalog describes")


def _check_served(spec: ModelSpec, folder: Path) -> None:
    """Refuse what would load and then make wrong pictures, or none."""
    if spec.family == "sdxl":
        raise BrokenWeights("model_index.json", "Stable Diffusion XL is not served yet")
    if read_json(folder, "unet/config.json").get("time_cond_proj_dim") is not None:
        raise BrokenWeights("unet/config.json", "networks with embedded guidance (time_cond_proj_dim) are not served")


def _first_file(spec: ModelSpec, component: str) -> str:
    for file in sorted(spec.weights):
        if file.startswith(f"{component}/"):
            return file
    raise MissingWeights(component, "no weights are known for it")
