"""The words that are drawn into a picture for people to read: the operator's by default, another of theirs if asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.contract.generation import GenerationRequest
from darkroom.contract.plan import Notice
from darkroom.errors import InvalidField

FIELD = "visible_label"


@dataclass(frozen=True)
class Labels:
    """`always` is drawn where a request asks for none: no request takes it away. `choices` are those it may name."""

    always: str = ""
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The one that `true` asks for comes first."""
        return tuple(dict.fromkeys((*filter(None, (self.always,)), *self.choices)))


def label(request: GenerationRequest, labels: Labels) -> str:
    """The words to draw; empty for none. Raises: InvalidField."""
    asked = request.visible_label
    if not asked:
        return labels.always
    if asked is True and labels.allowed:
        return labels.allowed[0]
    if asked not in labels.allowed:
        known = ", ".join(map(repr, labels.allowed)) or "none"
        raise InvalidField(FIELD, f"no label that is drawn here; known: {known}")
    return str(asked)


def label_notices(request: GenerationRequest, labels: Labels) -> Iterator[Notice]:
    if request.visible_label is False and labels.always:
        yield Notice(field=FIELD, reason=f"every picture of this service is labelled {labels.always!r}")
