"""Warn, never lie: whatever a dialect's request says that has no effect here is told to its caller.

Values by which a field says nothing warn nobody: clients send dozens of fields with every call.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import MutableHeaders

from darkroom.contract.plan import Notice
from darkroom.errors import InvalidField

HEADER = "Darkroom-Warning"
# What a notice may be about besides the request: the finished files.
_OF_FILES = ("watermark", "timestamp")
_MOST = 16
_MOST_CHARS = 300
# Proxies have 4096 for all headers of an answer, and lose the pictures where there are more.
_MOST_BYTES = 2000


class Remarks:
    """Collects them. `strict`: each is an error instead (`DARKROOM_COMPAT_STRICT`)."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._notices: list[Notice] = []

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._notices)

    def note(self, field: str, reason: str) -> None:
        """Raises: InvalidField, when strict."""
        if self._strict:
            raise InvalidField(field, reason)
        if len(self._notices) < _MOST:
            self._notices.append(Notice(field=field, reason=reason))

    def ignore(self, body: Mapping[str, Any], neutral: Mapping[str, tuple[Any, ...]], reason: str) -> None:
        """Remark on each field of `neutral` that `body` has with another value than those that say nothing.

        None and empty text, lists and objects always say nothing.
        """
        for field, values in neutral.items():
            value = body.get(field)
            if value not in (None, "", [], {}) and value not in values:
                self.note(field, reason)


def tell(headers: MutableHeaders, notices: Iterable[Notice]) -> None:
    """Each that is about the request, as a `Darkroom-Warning: field=...; reason=...`, as many as there is room for.

    Headers hold ASCII: the rest is percent-encoded.
    """
    left = _MOST_BYTES
    told = [notice for notice in notices if notice.field not in _OF_FILES]
    for notice in told[:_MOST]:
        line = f"field={_plain(notice.field)}; reason={_plain(notice.reason)}"
        left -= len(HEADER) + len(line) + 4  # a colon, a blank and the end of the line
        if left >= 0:
            headers.append(HEADER, line)


def _plain(text: str) -> str:
    return quote(text[:_MOST_CHARS], safe=" !\"#$&'()*+,-./:<=>?@[]^_`{|}~")
