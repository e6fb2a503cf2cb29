"""All that a flow can ask of whoever drives it. A step is performed, its result sent back in, or its error thrown."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from darkroom.client.pictures import Picture

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """`path` may be a whole URL. `repeatable`: to do it twice is to do it once."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True


@dataclass(frozen=True)
class Answer:
    """The names of `headers` are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Send:
    """A request -> its Answer, whatever its status. Redirections are followed. Raises: GatewayAway."""

    request: Request


@dataclass(frozen=True)
class Open:
    """A request -> an Answer, its body left to come line by line unless it is an error. Ends the stream that was open.

    `silence` is how many seconds without a byte mean that the gateway is gone. Raises: GatewayAway.
    """

    request: Request
    silence: float


@dataclass(frozen=True)
class NextLine:
    """-> the next line of the open stream, None at its end. Raises: GatewayAway."""


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class Read:
    """A picture -> its bytes. Raises: OSError."""

    picture: Picture


@dataclass(frozen=True)
class Write:
    """A whole file or none. Raises: OSError."""

    path: Path
    data: bytes


@dataclass(frozen=True)
class Tell:
    """Something for the caller to have, now."""

    value: Any


Step: TypeAlias = Send | Open | NextLine | Sleep | Read | Write | Tell
Flow: TypeAlias = Generator[Step, Any, T]


class Walk:
    """A flow that is driven: `step` is what to do next, None at its end, after which `result` is what it returned."""

    def __init__(self, flow: Flow[Any]) -> None:
        self._flow = flow
        self._result: Any = None
        self._error: BaseException | None = None
        self.result: Any = None

    def step(self) -> Step | None:
        """Raises: what the flow raises."""
        result, error, self._result, self._error = self._result, self._error, None, None
        try:
            return self._flow.send(result) if error is None else self._flow.throw(error)
        except StopIteration as end:
            self.result = end.value
            return None

    def give(self, result: Any) -> None:
        self._result = result

    def fail(self, error: BaseException) -> None:
        self._error = error
