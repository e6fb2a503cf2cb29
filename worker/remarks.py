"""What the receipt remarks on pictures that are not quite what was asked for."""

from collections.abc import Iterator, Sequence

from darkroom.contract.job import Artifact
from darkroom.contract.plan import GenerationPlan, Notice


def raised(plan: GenerationPlan, artifacts: Sequence[Artifact]) -> Iterator[Notice]:
    """Of pictures whose quality is not the one asked for."""
    asked = plan.output_compression
    for quality in sorted({each.quality for each in artifacts if each.quality not in (None, asked)}):
        indices = ", ".join(str(artifact.index) for artifact in artifacts if artifact.quality == quality)
        reason = f"raised to {quality} for image {indices}: below it the watermark cannot be read back"
        yield Notice(field="output_compression", reason=reason)


def weak(artifacts: Sequence[Artifact]) -> Iterator[Notice]:
    """Of pictures whose mark will not survive all that may be done to them."""
    if weak := [str(artifact.index) for artifact in artifacts if artifact.weak_mark]:
        reason = f"weak in image {', '.join(weak)}: it may not be readable once the picture was compressed or cropped"
        yield Notice(field="watermark", reason=reason)


def untimed(artifacts: Sequence[Artifact]) -> Iterator[Notice]:
    """Of pictures that left without an attested time, which the operator allows."""
    if untimed := [str(artifact.index) for artifact in artifacts if artifact.timestamped is False]:
        reason = f"no time of signing is attested in image {', '.join(untimed)}: the timestamp authority did not answer"
        yield Notice(field="timestamp", reason=reason)


def unseen(plan: GenerationPlan, artifacts: Sequence[Artifact]) -> Iterator[Notice]:
    """Of pictures that somebody should have looked at, and nobody did."""
    missed = [str(artifact.index) for artifact in artifacts if artifact.safety is None]
    if missed and plan.safety.output == "annotate":
        yield Notice(field="safety.output", reason=f"nobody could look at image {', '.join(missed)}")
