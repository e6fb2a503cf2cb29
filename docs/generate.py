"""Writes the pages that follow from the code: docs/settings.md, cli.md, errors.md. `make fix` runs it; tests compare.

python docs/generate.py
"""

import os
import subprocess
import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import NoDecode

from api.error_page import as_markdown
from darkroom.settings import HttpUrl, Settings

DOCS = Path(__file__).parent
COMMANDS = (
    *("generate", "batch", "preprocess", "verify", "inspect", "models", "loras", "jobs", "jobs cancel"),
    *("webhooks list", "webhooks show", "webhooks replay", "webhooks endpoints", "webhooks enable"),
    *("up", "demo", "doctor", "api", "worker", "courier"),
    *("pull", "key", "watermark-key", "webhook-secret", "redis-users", "records show", "records forget"),
)

SETTINGS_HEAD = """\
# Settings

Every setting is an environment variable. Nothing else is read, no file, and nothing at import; but for hub ids
([models](models.md#hub-ids)) the `HF_` variables of the hub's own client. A process that is given
a wrong value says which variable is wrong, without its value, and does not start. This page is written by
`docs/generate.py` from `darkroom/settings/`.

| variable | type | default | what it decides |
|---|---|---|---|
"""

_TYPES: dict[object, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret",
}

CLI_HEAD = """\
# The command line

Errors are one line on stderr and exit code 1, or 2 for wrong usage; `darkroom --debug COMMAND` shows the traceback
instead. Ctrl-C ends with 130, after what was asked for is canceled. Other codes are told by the commands that have
them.

Answers go to stdout, all else to stderr. In a pipe there are no colours (nor where `NO_COLOR` is set), tables are whole
and tab by tab, and nothing moves; with `--json` there is JSON. The gateway and its key come from `DARKROOM_URL` and
`DARKROOM_API_KEY`. `darkroom --install-completion` teaches bash, zsh, fish or PowerShell the commands and options, and
the names of models, LoRAs, VAEs and schedulers, which are asked of the gateway.

This page is written by `docs/generate.py` from the commands' own help.
"""


def settings_page() -> str:
    return SETTINGS_HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    listed = any(mark is NoDecode for mark in field.metadata)
    kind = "names with commas between" if listed else _type_words(field.annotation)
    default = f"`{','.join(field.default)}`" if listed else _default_words(field)
    cells = (f"`DARKROOM_{name.upper()}`", kind, default, field.description)
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _type_words(kind: object) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(kind))
    if kind is HttpUrl:
        return "http or https URL"
    if get_origin(kind) is Annotated:
        return _type_words(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_type_words(part) for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is dict:
        return "JSON object"
    if get_origin(kind) is tuple:
        return "JSON array"
    return "JSON object" if isinstance(kind, type) and issubclass(kind, BaseModel) else _TYPES[kind]


def _default_words(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined or default is None:
        return ""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, tuple):
        default = list(default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def cli_page() -> str:
    return CLI_HEAD + "".join(f"\n## `darkroom {name}`\n\n```text\n{_help(name)}```\n" for name in COMMANDS)


def errors_page() -> str:
    return as_markdown()


def _help(name: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    for variable in ("DARKROOM_URL", "DARKROOM_API_KEY"):
        environment.pop(variable, None)
    run = [sys.executable, "-P", "-m", "darkroom", *name.split(), "--help"]
    return subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603 - us


PAGES = {"settings.md": settings_page, "cli.md": cli_page, "errors.md": errors_page}

if __name__ == "__main__":
    for page, render in PAGES.items():
        (DOCS / page).write_text(render())
        print(f"docs/{page}")
