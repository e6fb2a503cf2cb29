"""The pictures that another was made from: what a manifest says of them, and which credentials it carries on."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from darkroom.provenance.carrying import InputCredential
from darkroom.provenance.records import watermark_id
from darkroom.provenance.signing import Carried
from darkroom.provenance.watermark import mark_value

MARK: Final = "org.darkroom.watermark"

Relationship = Literal["parentOf", "inputTo"]  # C2PA 2.2, ingredients: what was edited, and what else was looked at


@dataclass(frozen=True)
class Input:
    """A picture by the sha256 of our PNG of it. `mark` is (alg, id) of the watermark that was found in it,
    `credential` the one that the file came with, as far as it can be carried on."""

    relationship: Relationship
    sha256: str
    mark: tuple[str, int] | None = None
    credential: InputCredential | None = None

    @property
    def parent(self) -> tuple[str, ...]:
        """The watermark's id as records have it, or nothing."""
        return (watermark_id(self.mark[1]),) if self.mark else ()


def carried(inputs: tuple[Input, ...]) -> tuple[Carried, ...]:
    """Those whose credential goes into the manifest."""
    return tuple(
        each.credential.carried(definition(index, each)) for index, each in enumerate(inputs) if each.credential
    )


def bare(inputs: tuple[Input, ...]) -> list[dict[str, Any]]:
    """Those of which the manifest only says that they were there."""
    return [definition(index, each) for index, each in enumerate(inputs) if not each.credential]


def labels(inputs: tuple[Input, ...], relationship: Relationship) -> list[str]:
    """What actions call the inputs of this kind."""
    return [_label(index) for index, each in enumerate(inputs) if each.relationship == relationship]


def definition(index: int, given: Input) -> dict[str, Any]:
    """An ingredient for the builder, which finds it by its label."""
    said = {
        "title": _label(index),
        "label": _label(index),
        "format": "image/png",
        "relationship": given.relationship,
        "instance_id": f"urn:sha256:{given.sha256}",
    }
    return said | (
        {"metadata": {MARK: {"alg": given.mark[0], "value": mark_value(given.mark[1])}}} if given.mark else {}
    )


def _label(index: int) -> str:
    return f"input-{index}"
