"""A checkpoint in one `.safetensors` file, in the layout Stability and its heirs write -> ModelSpec.

Read from the header and, for one question, from a few numbers: whether the U-Net predicts noise or velocity. Asked in
this order: the sidecar, a tensor `v_pred`, the file's metadata, and for Stable Diffusion 2 the spread of one bias.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import pstdev
from typing import Any, TypeVar

from pydantic import ValidationError

from darkroom.catalog.checkpoint import Origin, Parts, describe
from darkroom.catalog.configs import Config, SchedulerConfig, TextEncoderConfig, UnetConfig, VaeConfig
from darkroom.catalog.original_configs import Incomplete, configs_of
from darkroom.catalog.original_names import Networks, Source, networks_in
from darkroom.catalog.safetensors_header import UnsoundHeader, read_floats, read_header, read_metadata
from darkroom.catalog.sidecar import Sidecar, read_sidecar
from darkroom.catalog.weights import file_digest
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights

SUFFIX = ".safetensors"
PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")

# `SD20.model_type` of ComfyUI: this bias of Stable Diffusion 2 varies by more where velocity is predicted.
_TELLING = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias"
_VELOCITY_SPREAD = 0.09

C = TypeVar("C", bound=Config)

Tokenizers = Callable[[int], str]
"""How many tokens a text encoder knows -> where the tokenizer for it lies; empty where there is none."""


@dataclass(frozen=True)
class Original:
    """What is in a file: `networks` by component, and their `configs`, with that of the scheduler."""

    networks: Networks
    configs: Mapping[str, dict[str, Any]]

    def open_clip(self, encoder: str) -> bool:
        """Whether a text encoder is of OpenCLIP, whose projections are fused, and not of OpenAI."""
        return any(source.change == "query" for source in self.networks[encoder].values())


def is_single_file(place: Path) -> bool:
    """Whether `place` is meant as a file, and not as a folder. A path that cannot be looked up raises nothing here."""
    return place.suffix in (SUFFIX, *PICKLES) and not os.path.isdir(place)


def check_suffix(file: Path) -> None:
    """Raises: BrokenWeights for what is not safetensors by its name."""
    if file.suffix in PICKLES:
        raise BrokenWeights(file.name, f"is a pickle, which may run code: save it as {SUFFIX}")
    if file.suffix != SUFFIX:
        raise BrokenWeights(file.name, f"is not a {SUFFIX} file")


def read_single_file(name: str, file: Path, sha256: Callable[[Path], str], tokenizers: Tokenizers) -> ModelSpec:
    """Describe the checkpoint in `file`. Raises: MissingWeights, BrokenWeights, naming the file."""
    check_suffix(file)
    original = read_original(file)

    def config(component: str, kind: type[C]) -> C:
        return checked(file, component, original.configs[component], kind)

    encoders = [component for component in TEXT_ENCODERS if component in original.networks]
    texts = [original.configs[component] for component in encoders]
    tokenizer = tokenizers(min(text["vocab_size"] for text in texts))
    if not tokenizer:
        raise BrokenWeights(file.name, "brings no tokenizer: name the folder of one in DARKROOM_TOKENIZER")
    return describe(
        name,
        Parts(
            unet=config("unet", UnetConfig),
            vae=config("vae", VaeConfig),
            scheduler=config("scheduler", SchedulerConfig),
            texts={component: config(component, TextEncoderConfig) for component in encoders},
            window=min(text["max_position_embeddings"] for text in texts),
            zeros="text_encoder" in encoders,
        ),
        lambda: Origin(file.parent, {file.name: file_digest(file.parent, file.name, sha256)}, "single_file", tokenizer),
    )


def read_original(file: Path) -> Original:
    """The networks of `file` and what they are. Raises: MissingWeights, BrokenWeights, naming the file."""
    try:
        networks = networks_in({key: tuple(tensor.shape) for key, tensor in read_header(file).items()})
        _check_complete(file, networks)
        sidecar = read_sidecar(file)
        velocity, zero_snr = _prediction(file, networks, sidecar), "ztsnr" in read_header(file)
        configs = configs_of(networks, velocity=velocity, zero_snr=zero_snr)
    except FileNotFoundError as error:
        raise MissingWeights(file.name, "no such file") from error
    except (UnsoundHeader, Incomplete) as error:
        raise BrokenWeights(file.name, str(error)) from error
    except OSError as error:
        raise BrokenWeights(file.name, f"cannot be read ({type(error).__name__})") from error
    return Original(networks, {each: config | getattr(sidecar, each) for each, config in configs.items()})


def original_networks(spec: ModelSpec) -> Networks:
    """Those of a checkpoint that `read_single_file` described. Raises: MissingWeights, BrokenWeights."""
    return read_original(single_file(spec)).networks


def single_file(spec: ModelSpec) -> Path:
    """Where a checkpoint of this layout lies."""
    (name,) = spec.weights
    return Path(spec.path) / name


def _check_complete(file: Path, networks: Networks) -> None:
    for component, words, prefix in (
        ("unet", "U-Net", "model.diffusion_model."),
        ("vae", "VAE", "first_stage_model."),
    ):
        if component not in networks:
            raise BrokenWeights(file.name, f"holds no {words}: no tensor's name begins with {prefix}")
    if not any(encoder in networks for encoder in TEXT_ENCODERS):
        raise BrokenWeights(file.name, "holds no text encoder: neither cond_stage_model. nor conditioner.embedders.")


def _prediction(file: Path, networks: Networks, sidecar: Sidecar) -> bool:
    """Whether the U-Net predicts velocity."""
    if sidecar.prediction_type is not None:
        return sidecar.prediction_type == "v_prediction"
    if "v_pred" in read_header(file):
        return True
    told = read_metadata(file).get("modelspec.prediction_type")
    if told is not None:
        return told == "v"
    telling = _telling(networks)
    return telling is not None and pstdev(read_floats(file, telling.key)) > _VELOCITY_SPREAD


def _telling(networks: Networks) -> Source | None:
    """Only Stable Diffusion 2 came in both kinds, with nothing in the file to tell them apart."""
    first = networks.get("text_encoder", {})
    open_clip = "text_encoder_2" not in networks and any(source.change == "query" for source in first.values())
    return networks["unet"].get(_TELLING) if open_clip else None


def checked(file: Path, component: str, config: Mapping[str, Any], kind: type[C]) -> C:
    """The configuration of a component in `file` as a `kind`. Raises: BrokenWeights, naming the file and the field."""
    try:
        return kind.model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BrokenWeights(file.name, f"{component}.{where}: {first['msg'].lower()}") from error
