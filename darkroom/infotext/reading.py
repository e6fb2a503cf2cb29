"""Reading what A1111 and its like wrote: `parse_generation_parameters` of modules/infotext_utils.py."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from darkroom.infotext.writing import NEGATIVE

# Possessive, and tried once between two commas, so that no text takes long.
_PARAMETER = re.compile(r'\s*+(\w[\w \-/]*+):\s*+("(?:\\.|[^\\"])++"|[^,]*+)(?:,|$)')
_SURROGATE = re.compile("[\ud800-\udfff]")
_LEAST = 3  # parameters that make a line one of parameters
MOST_CHARS = 200_000


@dataclass(frozen=True)
class Infotext:
    """`parameters` are as they were written, without quotes: `{"Steps": "20", ...}`; empty where none were found.

    All of it can be written as UTF-8, if what was read could.
    """

    prompt: str
    negative_prompt: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Infotext:
    """Never raises. A line of the prompt that begins with `Negative prompt:` ends it, as with A1111."""
    *lines, last = text[:MOST_CHARS].split("\n")
    found = _parameters(last)
    if not found:
        lines.append(last)
    marker = NEGATIVE.rstrip()
    begins = next((at for at, line in enumerate(lines) if line.startswith(marker)), len(lines))
    prompt, negative = "\n".join(lines[:begins]), "\n".join(lines[begins:])
    return Infotext(prompt, negative.removeprefix(marker).removeprefix(" "), found)


def _parameters(line: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(line):
        if match := _PARAMETER.match(line, at):
            found[match[1]] = _unquoted(match[2])
            at = match.end()
        else:
            at = (line.find(",", at) + 1) or len(line)
    return found if len(found) >= _LEAST else {}


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        with suppress(ValueError):
            return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(json.loads(value)))  # JSON may escape half a pair
    return value.strip()
