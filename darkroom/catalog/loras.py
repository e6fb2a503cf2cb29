"""The LoRAs this service offers, by name."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from darkroom.catalog.hub import located_file
from darkroom.catalog.listed import Requestable
from darkroom.catalog.lora_fit import base_shapes, misfit
from darkroom.catalog.lora_header import UnreadLora, lora_layers
from darkroom.catalog.safetensors_header import UnsoundHeader, read_header, read_metadata
from darkroom.catalog.unavailable import Unavailable, set_aside
from darkroom.contract.lora import LoraSpec
from darkroom.contract.model import ModelSpec
from darkroom.errors import BrokenWeights, MissingWeights, UnknownLora

MAX_LORA_BYTES = 4 * 1024**3
SUFFIX = ".safetensors"


class Loras(Requestable[LoraSpec]):
    """LoRAs by name."""

    kind, unknown = "LoRA", UnknownLora


def read_loras(files: Mapping[str, Path], models: Iterable[ModelSpec], sha256: Callable[[Path], str]) -> Loras:
    """The LoRAs of these files, name -> file, each held against every model."""
    specs: list[LoraSpec] = []
    unavailable: list[Unavailable] = []
    bases = {model.name: base_shapes(model) for model in models} if files else {}
    for name, file in files.items():
        with set_aside(name, file, unavailable):
            specs.append(read_lora(name, located_file(file), bases, sha256))
    return Loras(specs, unavailable)


def read_lora(
    name: str,
    file: Path,
    bases: Mapping[str, Mapping[tuple[str, str], tuple[int, ...]]],
    sha256: Callable[[Path], str],
) -> LoraSpec:
    """Describe the LoRA in `file` and say which of `bases`, name -> layer -> shape, it fits.

    Raises: MissingWeights, BrokenWeights, naming the file.
    """
    if file.suffix != SUFFIX:
        raise BrokenWeights(file.name, f"is not a {SUFFIX} file")
    try:
        size = file.stat().st_size
        if size > MAX_LORA_BYTES:
            raise BrokenWeights(file.name, f"larger than {MAX_LORA_BYTES} bytes")
        found, layers = lora_layers(read_header(file), read_metadata(file))
        reasons = {model: misfit(layers, base) for model, base in bases.items()}
        return LoraSpec(
            name=name,
            path=str(file),
            sha256=sha256(file),
            bytes=size,
            format=found,
            rank=max(layer.rank for layer in layers.values()),
            layers=len(layers),
            networks=tuple(sorted({network for network, _ in layers})),
            models=tuple(sorted(model for model, reason in reasons.items() if reason is None)),
            misfits={model: reason for model, reason in reasons.items() if reason is not None},
        )
    except FileNotFoundError as error:
        raise MissingWeights(file.name, "no such file") from error
    except (UnsoundHeader, UnreadLora) as error:
        raise BrokenWeights(file.name, str(error)) from error
    except OSError as error:
        raise BrokenWeights(file.name, f"cannot be read ({type(error).__name__})") from error
