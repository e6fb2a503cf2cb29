"""Reads docker-compose.yml as Compose does, as far as ours goes: merges, and variables of an environment."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^{}]*))?\}")


def read_environment(path: Path) -> dict[str, str]:
    """The variables of an env file whose values are in single quotes, or bare."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    pairs = (line.split("=", 1) for line in lines)
    return {name: value[1:-1] if value.startswith("'") else value for name, value in pairs}


def read_services(path: Path, variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every service with its variables filled in. Raises: KeyError with the message of a `:?` that is not set."""
    services: dict[str, dict[str, Any]] = _filled(yaml.safe_load(path.read_text()), variables)["services"]
    for service in services.values():
        service["environment"] = _environment(service.get("environment", {}), variables)
    return services


def _environment(asked: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    """A variable without a value is passed on, if there is one."""
    passed = {name: variables[name] for name, value in asked.items() if value is None and name in variables}
    return passed | {name: str(value) for name, value in asked.items() if value is not None}


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    match node:
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), node)
        case dict():
            return {key: _filled(value, variables) for key, value in node.items()}
        case list():
            return [_filled(value, variables) for value in node]
    return node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, how, words = found.groups()
    if variables.get(name):
        return variables[name]
    if how == "?":
        raise KeyError(words)
    return words or ""
