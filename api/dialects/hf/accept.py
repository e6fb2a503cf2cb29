"""Which format of picture an `Accept` header prefers (RFC 9110, 12.5.1)."""

from darkroom.contract.plan import MEDIA_TYPES, OutputFormat

_MOST_RANGES = 20


def preferred(accept: str) -> OutputFormat:
    """The one of ours that it likes best; png where it likes several alike, or none at all."""
    ranges = dict(_range(piece) for piece in reversed(accept.lower().split(",")[:_MOST_RANGES]))
    liked = {name: _quality(media_type, ranges) for name, media_type in MEDIA_TYPES.items()}
    best: OutputFormat = max(MEDIA_TYPES, key=lambda name: liked[name])
    return best


def _range(piece: str) -> tuple[str, float]:
    """A media range and its weight. What cannot be read counts as not there."""
    name, *parameters = (part.strip() for part in piece.split(";"))
    weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        return name, min(1.0, max(0.0, float(weight)))
    except ValueError:
        return name, 0.0


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """The most specific range counts."""
    return next((ranges[name] for name in (media_type, "image/*", "*/*") if name in ranges), 0.0)
