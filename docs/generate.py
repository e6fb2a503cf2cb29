"""Writes the pages that follow from the code: docs/settings.md, cli.md, errors.md. `make fix` runs it; tests compare.

python docs/generate.py
"""

import os
import re
import subprocess
import sys
import textwrap
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
    *("pull", "key", "watermark-key", "webhook-secret", "redis-users", "secrets", "records show", "records forget"),
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

Errors are one line on stderr and exit code 1, or 2 for wrong usage, or 78 where a
part of the service must not start; `darkroom --debug COMMAND` shows the traceback
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


COMPOSE_HEAD = """\
# What docker-compose.yml asks for. `darkroom secrets` writes a .env with what must be there and must be secret; add to
# it what is to be otherwise than it stands here. Written by docs/generate.py; docs/settings.md has all settings.
"""
OF_COMPOSE = {
    "DARKROOM_UID": "user whose files the secrets and data are, and as whom everything runs",
    "DARKROOM_GID": "its group",
    "REDIS_GATEWAY_PASSWORD": "password of a user of Redis, whose hash is in deploy/compose/secrets/users.acl",
    "REDIS_WORKER_PASSWORD": "likewise",
    "REDIS_COURIER_PASSWORD": "likewise",
    "GRAFANA_PASSWORD": "of `admin`, with the profile `observe`",
    "GATEWAYS": "how many gateways there are; nginx finds them",
    "GPU_WORKERS": "how many workers there are with the profile `gpu`: one a GPU",
    "WORKERS": "how many workers there are without a GPU",
    "PROXY_BIND": "address and port at which callers come in",
    "S3_BIND": "address and port of the store, to which presigned URLs lead; DARKROOM_S3_PUBLIC_ENDPOINT is its URL",
    "DATA_FOLDER": "where ledger, pictures and measurements are kept: what to back up",
    "MODELS_FOLDER": "mounted at /models: DARKROOM_MODELS names files there",
    "TORCH_INDEX": "package index of PyTorch for worker-cpu; pip's own if empty, which brings CUDA's on x86-64",
}
_ASKED = re.compile(r"\$\{(\w+)(?::([-?])([^{}]*))?\}|^ +(DARKROOM_\w+):$", re.MULTILINE)


def env_example() -> str:
    """Every variable that docker-compose.yml reads, what it decides, and what it is unless set."""
    compose = (DOCS.parent / "docker-compose.yml").read_text()
    asked: dict[str, str | None] = {}
    for name, how, words, passed in _ASKED.findall(compose):
        asked.setdefault(name or passed, None if how == "?" else words)
    return COMPOSE_HEAD + "".join(_variable(name, default) for name, default in sorted(asked.items()))


def _variable(name: str, default: str | None) -> str:
    field = Settings.model_fields.get(name.removeprefix("DARKROOM_").lower())
    about = OF_COMPOSE[name] if field is None else field.description
    told = f"{about} (written by `darkroom secrets`)" if default is None else str(about)
    lines = textwrap.wrap(told, 118, initial_indent="# ", subsequent_indent="# ")
    return "\n" + "".join(f"{line}\n" for line in lines) + f"#{name}={default or ''}\n"


PAGES = {"settings.md": settings_page, "cli.md": cli_page, "errors.md": errors_page}

if __name__ == "__main__":
    for page, render in PAGES.items():
        (DOCS / page).write_text(render())
        print(f"docs/{page}")
    (DOCS.parent / ".env.example").write_text(env_example())
    print(".env.example")
