"""The pictures that another was made from: what a manifest says of them, and which credentials it carries on."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from darkroom.errors import BadPicture, UnsignedOutput
from darkroom.provenance.pictures import decode
from darkroom.provenance.records import watermark_id
from darkroom.provenance.signing import Carried, CredentialSigner
from darkroom.provenance.watermark import UNMARKED, Watermarker, mark_value

MOST_CARRIED: Final = 1 << 20  # bytes of a credential: more would make a picture of ours mostly somebody else's
MARK: Final = "org.darkroom.watermark"

Relationship = Literal["parentOf", "inputTo"]  # C2PA 2.2, ingredients: what was edited, and what else was looked at


@dataclass(frozen=True)
class Original:
    """The file as the caller sent it."""

    data: bytes
    media_type: str


@dataclass(frozen=True)
class Input:
    """A picture by the sha256 of our PNG of it. `mark` is (alg, id) of the watermark that was found in it."""

    relationship: Relationship
    sha256: str
    mark: tuple[str, int] | None = None
    original: Original | None = None

    @property
    def parent(self) -> tuple[str, ...]:
        """The watermark's id as records have it, or nothing."""
        return (watermark_id(self.mark[1]),) if self.mark else ()


class Examiner:
    """Looks at inputs. Of strangers' bytes and heavy: for a worker's threads alone."""

    def __init__(self, watermarker: Watermarker, signer: CredentialSigner) -> None:
        self._watermarker = watermarker
        self._signer = signer

    def examined(self, given: Input, png: bytes) -> tuple[Input, str]:
        """The input with its mark, and with its original if that can be carried; else the reason why not, or ""."""
        marked = replace(given, mark=self._mark(png))
        why_not = self._obstacle(given)
        return (replace(marked, original=None) if why_not else marked), why_not

    def _mark(self, png: bytes) -> tuple[str, int] | None:
        if self._watermarker.alg == UNMARKED:
            return None
        try:
            mark = self._watermarker.identify(decode(png))
        except BadPicture:
            return None
        return (mark.alg or self._watermarker.alg, mark.mark_id) if mark else None

    def _obstacle(self, given: Input) -> str:
        """Why its credential cannot be carried. Whether it can is tried, at the size of one pixel: no check of ours
        would refuse exactly what the signing library does.
        """
        if given.original is None:
            return ""
        try:
            added = self._signer.weight(carried((given,)))
        except UnsignedOutput:
            return "its content credential is damaged and is not carried on"
        return "" if added <= MOST_CARRIED else f"its content credential has more than {MOST_CARRIED} bytes"


def carried(inputs: tuple[Input, ...]) -> tuple[Carried, ...]:
    """Those whose credential goes into the manifest."""
    return tuple(
        Carried(definition(index, each), each.original.media_type, each.original.data)
        for index, each in enumerate(inputs)
        if each.original
    )


def bare(inputs: tuple[Input, ...]) -> list[dict[str, Any]]:
    """Those of which the manifest only says that they were there."""
    return [definition(index, each) for index, each in enumerate(inputs) if not each.original]


def labels(inputs: tuple[Input, ...], relationship: Relationship) -> list[str]:
    """What actions call the inputs of this kind."""
    return [_label(index) for index, each in enumerate(inputs) if each.relationship == relationship]


def definition(index: int, given: Input) -> dict[str, Any]:
    """An ingredient for the builder, which finds it by its label."""
    said = {
        "title": _label(index),
        "label": _label(index),
        "format": given.original.media_type if given.original else "image/png",
        "relationship": given.relationship,
        "instance_id": f"urn:sha256:{given.sha256}",
    }
    return said | (
        {"metadata": {MARK: {"alg": given.mark[0], "value": mark_value(given.mark[1])}}} if given.mark else {}
    )


def _label(index: int) -> str:
    return f"input-{index}"
