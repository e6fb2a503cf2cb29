"""A file of prompts: one a line, `#` before a remark, and behind ` -- ` what this line wants other than the rest.

a red circle on a white background
a blue star on a yellow background -- seed=7 steps=30 size=192x128
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from darkroom.cli.numbers import finite
from darkroom.cli.sizes import parse_size

BEHIND = " -- "
MOST_SLUG = 40


@dataclass(frozen=True)
class Line:
    """One picture to make. `digest` is of all that was asked, and of how often it was asked for before in the file."""

    number: int
    prompt: str
    fields: Mapping[str, Any]
    digest: str

    @property
    def stem(self) -> str:
        """Of its file: the same wherever in the file the line stands."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.prompt.lower()).strip("-")[:MOST_SLUG].rstrip("-")
        return f"{slug}-{self.digest[:8]}" if slug else self.digest[:8]


class BadLine(ValueError):
    """Its words, without its number."""


def _size(words: str) -> dict[str, Any]:
    width, height = parse_size(words)
    return {"width": width, "height": height}


def _named(field: str, kind: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    return lambda words: {field: kind(words)}


OPTIONS: Mapping[str, Callable[[str], dict[str, Any]]] = MappingProxyType(
    {
        "seed": _named("seed", int),
        "steps": _named("steps", int),
        "size": _size,
        "guidance": _named("guidance_scale", finite),
        "scheduler": _named("scheduler", str),
        "model": _named("model", str),
        "vae": _named("vae", str),
    }
)


def parse_lines(text: str, shared: Mapping[str, Any]) -> tuple[list[Line], list[str]]:
    """The pictures to make, with what they all have in common, and what is wrong with the other lines."""
    lines: list[Line] = []
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for number, words in enumerate(text.splitlines(), 1):
        words = words.strip()
        if not words or words.startswith("#"):
            continue
        try:
            prompt, fields = _parsed(words)
        except BadLine as error:
            wrong.append(f"line {number}: {error}")
            continue
        asked = {**shared, **fields}
        canonical = json.dumps([prompt, asked], sort_keys=True)
        lines.append(Line(number, prompt, asked, _digest([canonical, str(seen[canonical])])))
        seen[canonical] += 1
    return lines, wrong


def _parsed(words: str) -> tuple[str, dict[str, Any]]:
    prompt, behind, options = words.rpartition(BEHIND)
    if not behind:
        return words, {}
    fields: dict[str, Any] = {}
    for option in options.split():
        fields |= _field(option)
    return prompt.strip(), fields


def _field(option: str) -> dict[str, Any]:
    name, equals, value = option.partition("=")
    if not equals or name not in OPTIONS:
        raise BadLine(f"{option!r} is none of {', '.join(f'{each}=…' for each in OPTIONS)}")
    try:
        return OPTIONS[name](value)
    except ValueError:
        raise BadLine(f"{value!r} is no {name}") from None


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
