"""A folder of somebody's classifier -> what looks at pictures with it. Safetensors alone, and no code of the folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import AutoModelForImageClassification

from darkroom.catalog.configs import read_json
from darkroom.catalog.foreign import refuse_foreign
from darkroom.catalog.preprocessor_files import CONFIG, PROCESSOR, WEIGHTS
from darkroom.catalog.weights import file_digest, fresh_sha256
from darkroom.errors import BrokenWeights, ConfigurationError, MissingWeights, ModelError, SafetyUnavailable
from darkroom.safety.protocol import PictureChecker
from darkroom.settings import ClassifierPlace
from worker.models.networks import broken, check_complete
from worker.preprocessors.transformers_folder import load_reader
from worker.preprocessors.verified import verified
from worker.safety.concepts import ARCHITECTURE, ConceptChecker
from worker.safety.labels import LabelChecker

_CONCEPTS: Any = StableDiffusionSafetyChecker

# What one would be silent about is better known at the start than of every picture.
_GREY_HWC: Final = np.full((64, 64, 3), 128, np.uint8)


@dataclass(frozen=True)
class Described:
    """The files of a classifier, name -> SHA-256. `version` is that of the weights."""

    folder: str
    files: Mapping[str, str]

    @property
    def version(self) -> str:
        return self.files[WEIGHTS]


def open_classifier(name: str, place: ClassifierPlace, device: torch.device) -> PictureChecker:
    """Raises: ConfigurationError that says which classifier, and what is wrong with it."""
    try:
        checker = _opened(name, place, device)
        checker.scores(_GREY_HWC)
    except SafetyUnavailable:
        raise ConfigurationError(
            f"DARKROOM_SAFETY_CLASSIFIERS: {name}: has no score for a grey picture: do {PROCESSOR} and weights fit?"
        ) from None
    except ModelError as error:
        raise ConfigurationError(f"DARKROOM_SAFETY_CLASSIFIERS: {name}: {error.detail}") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"DARKROOM_SAFETY_CLASSIFIERS: {name}: {error.detail}") from None
    return checker


def _opened(name: str, place: ClassifierPlace, device: torch.device) -> PictureChecker:
    folder = place.path.expanduser().resolve()
    config = read_json(folder, CONFIG)
    if ARCHITECTURE in (config.get("architectures") or ()):
        if place.labels:
            raise ConfigurationError("has no labels: it is a safety checker of Stable Diffusion")
        found = _described(folder, CONFIG)
        return ConceptChecker(name, found.version, _load_concepts(found, device), device)
    if "model_type" not in config:
        raise BrokenWeights(CONFIG, "has no model_type: checkpoints of timm are not read")
    found = _described(folder, CONFIG, PROCESSOR)
    return LabelChecker(name, found.version, load_reader(AutoModelForImageClassification, found, device), place.labels)


def _described(folder: Path, *configs: str) -> Described:
    """Raises: MissingWeights, BrokenWeights, naming the file."""
    for name in configs:
        read_json(folder, name)
    if not (folder / WEIGHTS).exists() and any(folder.glob("*.bin")):
        raise MissingWeights(WEIGHTS, "no such file: weights in .bin are never read, for they can run code")
    weights = {WEIGHTS: file_digest(folder, WEIGHTS)}
    return Described(str(folder), weights | {name: fresh_sha256(folder / name) for name in configs})


def _load_concepts(found: Described, device: torch.device) -> Any:
    """Raises: MissingWeights, BrokenWeights, naming the file."""
    refuse_foreign(Path(found.folder))
    with verified(found) as folder, broken(WEIGHTS):
        network, report = _CONCEPTS.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    check_complete(WEIGHTS, report)
    return network.eval().requires_grad_(False).to(device)
