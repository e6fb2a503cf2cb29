"""Where a picture will go: looked at before it is made, not after."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import typer

from darkroom.cli.console import CommandFailed

FORMATS: Mapping[str, str] = MappingProxyType({".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"})


def format_of(output: Path, formats: Mapping[str, str] = FORMATS, hint: str = "--output") -> str:
    """The output format that the name of `output` asks for, once a file can be written there.

    Raises: typer.BadParameter for a name that says none of `formats`; CommandFailed for a place that takes no file.
    """
    if output.suffix.lower() not in formats:
        *others, last = formats
        listed = f"{', '.join(others)} or {last}" if others else last
        raise typer.BadParameter(f"{output.name!r} must end in {listed}", param_hint=hint)
    folder = output.parent
    if not folder.is_dir():
        raise CommandFailed(f"{folder} is no folder")
    if output.is_dir():
        raise CommandFailed(f"{output} is a folder")
    if not os.access(output if output.exists() else folder, os.W_OK):
        raise CommandFailed(f"{output} cannot be written")
    return formats[output.suffix.lower()]
