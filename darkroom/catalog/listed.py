"""What is configured of one kind, by name: what can be had, and what is broken."""

from collections.abc import Iterable
from typing import ClassVar, Generic, Protocol, TypeVar

from darkroom.catalog.unavailable import Unavailable
from darkroom.errors import InvalidField
from darkroom.errors.near import unknown


class Named(Protocol):
    @property
    def name(self) -> str: ...


S = TypeVar("S", bound=Named)


class Listed(Generic[S]):
    """A broken one is listed as unavailable and does not take the others down. `kind` is what people call it."""

    kind: ClassVar[str]

    def __init__(self, specs: Iterable[S] = (), unavailable: Iterable[Unavailable] = ()) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._unavailable = {entry.name: entry for entry in unavailable}

    def specs(self) -> tuple[S, ...]:
        """What can be had, by name."""
        return tuple(self._specs[name] for name in sorted(self._specs))

    def unavailable(self) -> tuple[Unavailable, ...]:
        """What was configured but cannot be used, by name."""
        return tuple(self._unavailable[name] for name in sorted(self._unavailable))


class Requestable(Listed[S]):
    """What a request names in a field of its own. `unknown` is the error for a name nobody configured."""

    unknown: ClassVar[type[InvalidField]]

    def spec(self, name: str, field: str) -> S:
        """`field` is where in the request the name stands.

        Raises: `unknown` for a name nobody configured, its own ModelError for one that is broken.
        """
        if name in self._specs:
            return self._specs[name]
        if name in self._unavailable:
            raise self._unavailable[name].error.with_traceback(None)
        raise self.unknown(field, unknown(self.kind, name, sorted(self._specs)))

    def knows(self, name: str) -> bool:
        """Whether it was configured, broken or not."""
        return name in self._specs or name in self._unavailable

    def names(self) -> str:
        """All that can be had, in words."""
        return ", ".join(sorted(self._specs)) or "none"
