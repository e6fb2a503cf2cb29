"""The body of a request -> the fields of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.dialects.openai import numbers
from api.dialects.openai.extensions import OBJECT, extensions_of, inside, note_unknown
from api.dialects.openai.names import model_of
from api.dialects.remarks import Remarks
from api.dialects.requested import in_words_of
from darkroom.catalog import Catalog
from darkroom.contract.model import ModelSpec
from darkroom.contract.plan import MEDIA_TYPES
from darkroom.errors import InvalidField

BACKGROUNDS = ("auto", "opaque", "transparent")
RESPONSE_FORMATS = ("b64_json", "url")
# Fields of OpenAI that have no effect here, each with the values by which it says nothing.
WITHOUT_EFFECT: Mapping[str, tuple[Any, ...]] = {
    "style": ("vivid",),
    "moderation": ("auto", "low"),
    "input_fidelity": ("low",),
    "complexity": (),
    "frame_count": (),
    "frame_duration_ms": (),
    "svg": (),
    "prompt_rewriter": (),
}
_KNOWN = frozenset(
    {
        *("prompt", "model", "n", "size", "quality", "response_format", "output_format", "output_compression"),
        *("background", "stream", "partial_images", "user", "safety_identifier"),
        *WITHOUT_EFFECT,
    }
)
_OF_EDITS = frozenset({"image", "image[]", "images", "mask", "markup"})


@dataclass(frozen=True)
class Wanted:
    """A request: `fields` of ours, `names` that the caller has for them, and what the answer is to look like.

    `quality` is what the answer calls it, None where the steps were asked for themselves.
    """

    fields: dict[str, Any]
    names: dict[str, str]
    quality: str | None
    as_url: bool
    stream: bool
    partial_images: int


def wanted(
    body: Mapping[str, Any], catalog: Catalog, aliases: Mapping[str, str], remarks: Remarks, *, pictures: bool = False
) -> Wanted:
    """Whatever a body says but its `pictures`, where it may have any.

    Raises: InvalidField, UnknownModel, ModelError, all in the caller's words.
    """
    spec = _model(body, catalog, aliases, remarks)
    stream = numbers.flag(body, "stream")
    partial = numbers.whole(body, "partial_images", 0, numbers.MOST_PARTIAL_IMAGES) or 0
    quality = numbers.one_of(body, "quality", tuple(numbers.QUALITIES))
    as_url = numbers.one_of(body, "response_format", RESPONSE_FORMATS) == "url"
    fields, names = _picture(body), {"width": "size", "height": "size"}
    fields["previews"] = stream and partial > 0
    for name, said, value in extensions_of(body):
        fields[name], names[name] = value, said
    fields["model"] = spec.name
    if fields.get("steps") is None:
        fields["steps"] = numbers.steps_of(quality, spec, fields.get("scheduler"))
        names["steps"] = "quality"
        told: str | None = numbers.answered(quality)
    else:
        told = None
        if quality not in (None, "auto"):
            remarks.note("quality", f"has no effect beside {names['steps']}")
    _note_streaming(stream, partial, as_url, remarks)
    remarks.ignore(body, WITHOUT_EFFECT, "has no effect here")
    note_unknown(body, _KNOWN | _OF_EDITS if pictures else _KNOWN, remarks)
    return Wanted(fields, names, told, as_url and not stream, stream, partial)


def _model(body: Mapping[str, Any], catalog: Catalog, aliases: Mapping[str, str], remarks: Remarks) -> ModelSpec:
    """Raises: as `model_of`."""
    ours = inside(body, "model")
    with in_words_of({} if ours is None else {"model": f"{OBJECT}.model"}):
        return model_of(body.get("model") if ours is None else ours, catalog, aliases, remarks)


def _picture(body: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: InvalidField."""
    if body.get("prompt") is None:
        raise InvalidField("prompt", "is required")
    if numbers.one_of(body, "background", BACKGROUNDS) == "transparent":
        raise InvalidField("background", "pictures are opaque: transparent ones cannot be made here")
    size = numbers.size_of(body.get("size")) or (None, None)
    output_format = numbers.one_of(body, "output_format", tuple(MEDIA_TYPES)) or "png"
    return {
        "prompt": body["prompt"],
        "n": numbers.whole(body, "n", 1, numbers.MOST_IMAGES),
        "width": size[0],
        "height": size[1],
        "output_format": output_format,
        "output_compression": _compression(body, output_format),
    }


def _compression(body: Mapping[str, Any], output_format: str) -> int | None:
    """Raises: InvalidField."""
    value = numbers.whole(body, "output_compression", 0, 100)
    return None if output_format == "png" and value == 100 else value  # which is what png is


def _note_streaming(stream: bool, partial: int, as_url: bool, remarks: Remarks) -> None:
    if partial and not stream:
        remarks.note("partial_images", "has no effect without stream")
    if as_url and stream:
        remarks.note("response_format", "has no effect on a stream, whose events hold the pictures")
