"""The table of attacks: rows of `attacks/*.toml`, and the requests that they stand for.

A row names an attack (A1 to A56), what it is and where it was seen. Then it either is a request, or several, with what
must be answered, or it names tests (`checks`) that show the attack fail where one request cannot. Requests are

- `body` or `make` (a maker in `makers.py`) with `method`, `path`, `headers` and `tenant` ('' for nobody),
- `corpus`, of `names` in it or of all: bytes and their status, as the fast tests have them,
- `urls`: each in every field that takes the URL of a picture, or in those of `places`; `{server}` is one of ours that
  behaves badly,
- `pictures`: each wherever a picture may be sent.
"""

import ast
import base64
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tests.gateway import GENERATIONS
from tests.security.makers import CORPORA, MAKERS, PICTURES

ROOT = Path(__file__).parents[2]
ASSETS, VERIFY, PREPROCESS = "/api/v1/assets", "/api/v1/provenance/verify", "/api/v1/preprocess"
IMG2IMG = "/sdapi/v1/img2img"
HF, REPLICATE = "/hf/models/tiny", "/replicate/v1/models/a/tiny/predictions"
PNG_INFO, DETECT = "/sdapi/v1/png-info", "/controlnet/detect"
JSON = {"Content-Type": "application/json"}
PNG = {"Content-Type": "image/png"}
RANGES = "bytes=" + "0-," * 4000


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^A([1-9]|[1-4][0-9]|5[0-6])$")
    what: str
    source: str
    checks: tuple[str, ...] = ()
    corpus: str = ""
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    method: str = "POST"
    path: str = GENERATIONS
    tenant: str = "alice"
    headers: dict[str, str] = {}
    body: str | None = None
    make: str | None = None
    status: int | tuple[int, ...] = ()
    code: tuple[str, ...] = ()
    seconds: float = 2.0
    megabytes: int = 200


@dataclass(frozen=True)
class Attack:
    """One request, or a body that has no end (`body` is then read as it is sent)."""

    name: str
    row: Row
    status: tuple[int, ...]
    path: str = GENERATIONS
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = b""  # bytes, or what makes them: a list of 500 MB would be the test's own attack


@cache
def rows() -> tuple[Row, ...]:
    files = sorted(Path(__file__).with_name("attacks").glob("*.toml"))
    return tuple(
        Row.model_validate(row, strict=False) for file in files for row in tomllib.loads(file.read_text())["attack"]
    )


def attacks() -> Iterator[Attack]:
    for row in rows():
        yield from _of_corpus(row)
        yield from _of_urls(row)
        yield from _of_pictures(row)
        if row.body is not None or row.make:
            body = MAKERS[row.make] if row.make else row.body.encode() if row.body is not None else b""
            headers = {name: value.replace("{ranges}", RANGES) for name, value in row.headers.items()}
            plain = {} if row.make == "nothing" else JSON
            yield Attack(f"{row.id} {row.what}", row, _statuses(row), row.path, {**plain, **headers}, body)


def _statuses(row: Row) -> tuple[int, ...]:
    return (row.status,) if isinstance(row.status, int) else row.status


def _of_corpus(row: Row) -> Iterator[Attack]:
    if row.corpus:
        corpus = CORPORA[row.corpus]
        for name in row.names or corpus:
            path, headers, body, status = corpus[name]
            yield Attack(f"{row.id} {name}", row, (status,), path, headers, body)


URL_PLACES = {
    "image": (GENERATIONS, lambda url: {"prompt": "a", "image": url}),
    "mask": (GENERATIONS, lambda url: {"prompt": "a", "image": _small(), "mask": url}),
    "control": (GENERATIONS, lambda url: {"prompt": "a", "controlnets": [{"type": "canny", "image": url}]}),
    "map": (PREPROCESS, lambda url: {"type": "canny", "image": url}),
    "asset": (ASSETS, lambda url: {"url": url}),
    "verify": (VERIFY, lambda url: {"url": url}),
    "hf": (HF, lambda url: {"inputs": url, "parameters": {"prompt": "a"}}),
    "a1111": (IMG2IMG, lambda url: {"prompt": "a", "init_images": [url]}),
    "replicate": (REPLICATE, lambda url: {"input": {"prompt": "a", "image": url}}),
    "png-info": (PNG_INFO, lambda url: {"image": url}),
    "detect": (DETECT, lambda url: {"controlnet_module": "canny", "controlnet_input_images": [url]}),
    "webhook": (GENERATIONS, lambda url: {"prompt": "a", "webhook_url": url}),
    "replicate's webhook": (REPLICATE, lambda url: {"input": {"prompt": "a"}, "webhook": url}),
    "openai's webhook": ("/v1/images/generations", lambda url: {"prompt": "a", "webhook": url}),
}
# What a webhook's name leads to is looked up when it is sent: only what can be told at sight is refused before.
FETCHED = tuple(place for place in URL_PLACES if not place.endswith("webhook"))


def _of_urls(row: Row) -> Iterator[Attack]:
    for url in row.urls:
        for place in row.places or FETCHED:
            path, fields = URL_PLACES[place]
            body = json.dumps(fields(url)).encode()
            yield Attack(f"{row.id} {url} for {place}", row, _statuses(row), path, JSON, body)


def _of_pictures(row: Row) -> Iterator[Attack]:
    for name in row.pictures:
        for place in row.places or ("asset", "image", "verify"):
            yield Attack(f"{row.id} {name} for {place}", row, _statuses(row), *_sent(place, name))


def _sent(place: str, name: str) -> tuple[str, dict[str, str], Any]:
    if place in ("image", "a1111", "png-info", "detect"):
        path, fields = URL_PLACES[place]
        return path, JSON, lambda: json.dumps(fields(_base64(PICTURES[name]()))).encode()
    return {"asset": ASSETS, "verify": VERIFY, "hf": HF}[place], PNG, PICTURES[name]


def _small() -> str:
    return _base64(PICTURES["small"]())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def is_there(check: str) -> bool:
    """Whether a test of this name exists, is collected, and asserts or expects something."""
    path, _, name = check.partition("::")
    file = ROOT / path
    if not file.is_file() or not file.name.startswith("test_"):
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, functions) and node.name == name:
            text = ast.unparse(node)
            return any(word in text for word in ("assert", "pytest.raises", "refused("))
    return False
