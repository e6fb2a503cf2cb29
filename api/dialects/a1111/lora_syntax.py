"""`<lora:name:weight>` in a prompt: A1111's extra networks, modules/extra_networks.py and extensions-builtin/Lora."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from api.dialects.remarks import Remarks
from darkroom.catalog.loras import SUFFIX, Loras
from darkroom.contract.generation import MAX_LORA_WEIGHT
from darkroom.contract.lora import LoraSpec
from darkroom.errors import InvalidField

FIELD = "prompt"
_NETWORK = re.compile(r"<(\w+):([^<>]+)>")
_KINDS = ("lora", "lyco")


@dataclass(frozen=True)
class Prompted:
    """A prompt without the syntax, and the weight of each LoRA by its name here."""

    text: str
    weights: dict[str, float]

    @property
    def loras(self) -> list[dict[str, object]]:
        return [{"model": name, "weight": weight} for name, weight in self.weights.items()]


def prompted(prompt: str, known: Loras, remarks: Remarks) -> Prompted:
    """One that is named twice counts twice. One that is not here is left out and remarked, as A1111 makes the picture
    without it. Raises: InvalidField for a weight that is no number, or too large.
    """
    weights: dict[str, float] = {}
    for kind, said in _NETWORK.findall(prompt):
        if kind.lower() not in _KINDS:
            remarks.note(FIELD, "holds a network in angle brackets that is no LoRA: it was left out")
            continue
        name, weight = _named(said.split(":"), remarks)
        if spec := _found(name, known):
            weights[spec.name] = weights.get(spec.name, 0.0) + weight
        else:
            remarks.note(FIELD, f"names a LoRA that is not here, and was left out; known: {known.names()}")
    if not all(abs(weight) <= MAX_LORA_WEIGHT for weight in weights.values()):  # NaN is not, either
        raise InvalidField(FIELD, f"the weight of a LoRA must be from -{MAX_LORA_WEIGHT:g} to {MAX_LORA_WEIGHT:g}")
    return Prompted(_NETWORK.sub("", prompt), weights)


def _named(pieces: list[str], remarks: Remarks) -> tuple[str, float]:
    """The name, and the weight for text encoder and U-Net: by place, or as `te=` and `unet=`."""
    name, *rest = (piece.strip() for piece in pieces)
    placed = [piece for piece in rest if "=" not in piece]
    said = dict(piece.split("=", 1) for piece in rest if "=" in piece)
    text = _number(said.get("te", placed[0] if placed else "1"))
    unet = _number(said.get("unet", placed[1] if len(placed) > 1 else str(text)))
    if text != unet:
        remarks.note(FIELD, "weighs a LoRA's text encoder apart: both have the weight of the U-Net")
    if "dyn" in said or len(placed) > 2:
        remarks.note(FIELD, "gives a LoRA a rank of its own, which has no effect")
    return name, unet


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidField(FIELD, "the weight of a LoRA must be a number") from None


def _found(name: str, known: Loras) -> LoraSpec | None:
    """By our name, else by that of the file; with the same case or another."""
    wanted, specs = name.casefold().removesuffix(SUFFIX), known.specs()
    named = (spec for spec in specs if spec.name == wanted)
    return next(named, None) or next((spec for spec in specs if PurePath(spec.path).stem.casefold() == wanted), None)
