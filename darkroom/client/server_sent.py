"""Server-sent events, a line at a time (WHATWG HTML, section 9.2.6)."""

import re
from collections.abc import Iterator

_END = re.compile(r"\r\n|\n|\r")


class Lines:
    """Lines of a text that comes in pieces. They end where the standard says, and nowhere else: text may hold others of
    the characters that `str.splitlines` splits at."""

    def __init__(self) -> None:
        self._rest = ""

    def read(self, piece: str) -> list[str]:
        """The lines that this piece ends."""
        text = self._rest + piece
        held = "\r" if text.endswith("\r") else ""  # the first half of an end, perhaps
        *lines, self._rest = _END.split(text.removesuffix("\r") if held else text)
        self._rest += held
        return lines


class Reader:
    """`last_id` is that of the latest event that was whole: an event that is cut off was never told."""

    def __init__(self) -> None:
        self.last_id = ""
        self._name, self._id, self._data = "", "", list[str]()

    def read(self, line: str) -> Iterator[tuple[str, str]]:
        """The event (name, data) that this line ends, if it ends one."""
        if not line:
            yield from self._dispatch()
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            self._take(name, value.removeprefix(" "))

    def _take(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id":
            self._id = value

    def _dispatch(self) -> Iterator[tuple[str, str]]:
        name, data, self._name, self._data = self._name or "message", self._data, "", []
        self.last_id = self._id
        if data:
            yield name, "\n".join(data)
