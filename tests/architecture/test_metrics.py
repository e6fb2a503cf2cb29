"""Every instrument is recorded by some part of the product: one that stays empty is worse than none."""

import ast
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from darkroom.metrics import Metrics

ROOT = Path(__file__).parents[2]
RECORDS = {"labels", "inc", "set", "observe"}


def recorded() -> set[str]:
    """Attributes on which an instrument's method is called, as in `metrics.steps.labels(model)`."""
    found: set[str] = set()
    for package in ("darkroom", "api", "worker"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in RECORDS and isinstance(node.value, ast.Attribute):
                    found.add(node.value.attr)
    return found


def called() -> set[str]:
    """Names of attributes anywhere in the product outside the instruments' own file."""
    return {
        node.attr
        for package in ("darkroom", "api", "worker")
        for path in (ROOT / package).rglob("*.py")
        if path.parent.name != "metrics"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }


def test_every_instrument_is_recorded_somewhere() -> None:
    instruments = {name for name, made in vars(Metrics()).items() if isinstance(made, MetricWrapperBase)}
    assert len(instruments) > 10
    assert instruments - recorded() == set()


def test_every_way_to_record_is_taken() -> None:
    kinds = [kind for kind in Metrics.__mro__ if kind.__module__.startswith("darkroom.metrics")]
    members = {name: member for kind in kinds for name, member in vars(kind).items()}
    ways = {name for name, member in members.items() if callable(member) and not name.startswith("_")}
    assert len(ways) > 10
    assert ways - called() == set()
