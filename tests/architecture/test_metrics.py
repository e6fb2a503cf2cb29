"""Every instrument is recorded by some part of the product: one that stays empty is worse than none."""

import ast
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from darkroom.metrics import Metrics

ROOT = Path(__file__).parents[2]
RECORDS = {"labels", "inc", "set", "observe"}


@pytest.fixture(scope="module")
def attributes() -> list[tuple[Path, ast.Attribute]]:
    """All attributes in the product, with where they are."""
    return [
        (path, node)
        for package in ("darkroom", "api", "worker")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    ]


def recorded(attributes: list[tuple[Path, ast.Attribute]]) -> set[str]:
    """Attributes on which an instrument's method is called, as in `metrics.steps.labels(model)`."""
    called = [node.value for _, node in attributes if node.attr in RECORDS]
    return {value.attr for value in called if isinstance(value, ast.Attribute)}


def called(attributes: list[tuple[Path, ast.Attribute]]) -> set[str]:
    """Names of attributes anywhere in the product outside the instruments' own file."""
    return {node.attr for path, node in attributes if path.parent.name != "metrics"}


def test_every_instrument_is_recorded_somewhere(attributes: list[tuple[Path, ast.Attribute]]) -> None:
    instruments = {name for name, made in vars(Metrics()).items() if isinstance(made, MetricWrapperBase)}
    assert len(instruments) > 10
    assert instruments - recorded(attributes) == set()


def test_every_way_to_record_is_taken(attributes: list[tuple[Path, ast.Attribute]]) -> None:
    kinds = [kind for kind in Metrics.__mro__ if kind.__module__.startswith("darkroom.metrics")]
    members = {name: member for kind in kinds for name, member in vars(kind).items()}
    ways = {name for name, member in members.items() if callable(member) and not name.startswith("_")}
    assert len(ways) > 10
    assert ways - called(attributes) == set()
