"""The document that the service gives out, before the eyes of a linter that others make reference pages with."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.conftest import HERE, missing
from tests.clients.flavours import Running

REDOCLY = HERE / "node_modules" / ".bin" / "redocly"


def lint(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What Redocly found, by its own report."""
    if not REDOCLY.exists():
        missing("redocly (`npm ci --prefix tests/clients`)")
    described = folder / "openapi.json"
    described.write_text(json.dumps(document))
    ended = subprocess.run(
        [str(REDOCLY), "lint", str(described), "--config", str(HERE / "redocly.yaml"), "--format", "json"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout.startswith("{"), ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def words(found: dict[str, Any]) -> list[str]:
    return [f"{one['ruleId']}: {one['message']}" for one in found["problems"]]


@pytest.fixture(scope="module", params=["service", "keyed"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    running: Running = request.getfixturevalue(request.param)
    described: dict[str, Any] = httpx.get(f"{running.url}/openapi.json", headers=running.headers()).json()
    return described


def test_a_linter_finds_nothing_not_even_to_warn_of(document: dict[str, Any], tmp_path: Path) -> None:
    assert words(lint(document, tmp_path)) == []


def test_the_linter_would_find_something(document: dict[str, Any], tmp_path: Path) -> None:
    operation = document["paths"]["/livez"]["get"]
    spoiled = {**operation, "tags": ["nowhere described"], "operationId": "create_generation"}
    paths = {**document["paths"], "/livez": {"get": {k: v for k, v in spoiled.items() if k != "security"}}}
    found = {one["ruleId"] for one in lint({**document, "paths": paths}, tmp_path)["problems"]}
    assert {"security-defined", "operation-tag-defined", "operation-operationId-unique"} <= found
