"""What tenants prefer where their requests say nothing, in memory. The twin of `scripts/prefer.lua`."""

import json
import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from darkroom.ledger.protocol import JsonObject

MOST_VALUE_CHARS: Final = 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,64}")

Place = tuple[str, str]
"""Of what kind they are, and whose."""


def written(changes: JsonObject) -> dict[str, str]:
    """Each as JSON; None, which takes one back, as nothing. Raises: ValueError for what no ledger keeps."""
    texts = {name: "" if value is None else json.dumps(value) for name, value in changes.items()}
    if not all(map(_NAME.fullmatch, texts)):
        raise ValueError("a preference's name has letters, digits and underscores")
    if any(len(text) > MOST_VALUE_CHARS for text in texts.values()):
        raise ValueError(f"a preference has at most {MOST_VALUE_CHARS} characters")
    return texts


def read(texts: Mapping[str, str]) -> dict[str, JsonValue]:
    return {name: json.loads(text) for name, text in texts.items()}


def too_many(most: int) -> ValueError:
    return ValueError(f"a tenant has at most {most} preferences of a kind")


class Preferences:
    """Those of all tenants."""

    def __init__(self, most: int, ttl_ms: int) -> None:
        self._most, self._ttl_ms = most, ttl_ms
        self._kept: dict[Place, dict[str, str]] = {}
        self._used_ms: dict[Place, int] = {}

    def after(self, place: Place, changes: Mapping[str, str], now_ms: int) -> dict[str, str]:
        """What is preferred once these changes are made. Raises: ValueError when that is too much."""
        if self._used_ms.get(place, now_ms) + self._ttl_ms <= now_ms:
            del self._kept[place]
        both = {**self._kept.get(place, {}), **changes}
        kept = {name: text for name, text in both.items() if text}
        if len(kept) > self._most:
            raise too_many(self._most)
        self._kept[place], self._used_ms[place] = kept, now_ms
        return kept
