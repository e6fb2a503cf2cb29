"""The instruments."""

import re

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from darkroom.metrics import Metrics


def families(metrics: Metrics) -> dict[str, str]:
    return {family.name: family.type for family in text_string_to_metric_families(metrics.render().decode())}


def test_every_instrument_is_rendered_with_help_and_a_conventional_name() -> None:
    metrics = Metrics()
    rendered = metrics.render().decode()
    for name, kind in families(metrics).items():
        assert re.fullmatch(r"darkroom_[a-z_]+", name)
        assert f"# HELP {name}" in rendered
        if kind == "histogram":
            assert name.endswith(("_seconds", "_per_step"))


def test_two_sets_of_instruments_do_not_meet_and_neither_is_global() -> None:
    one, other = Metrics(), Metrics()
    one.steps.labels("tiny").inc()
    assert 'darkroom_steps_total{model="tiny"} 1.0' in one.render().decode()
    assert "darkroom_steps_total{" not in other.render().decode()
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("darkroom_")]


def test_an_answer_is_counted_and_timed_by_its_pattern() -> None:
    metrics = Metrics()
    metrics.answered(route="/api/v1/generations/{id}", method="GET", status=200, seconds=0.02)
    labels = {"route": "/api/v1/generations/{id}", "method": "GET"}
    registry = metrics.registry
    assert registry.get_sample_value("darkroom_http_requests_total", {**labels, "status": "200"}) == 1
    assert registry.get_sample_value("darkroom_http_request_duration_seconds_sum", labels) == pytest.approx(0.02)


def test_strangers_cannot_make_new_series() -> None:
    metrics = Metrics()
    for number in range(50):
        metrics.answered(route=None, method=f"VERB{number}", status=404, seconds=0.001)
    labels = {"route": "unmatched", "method": "other", "status": "404"}
    assert metrics.registry.get_sample_value("darkroom_http_requests_total", labels) == 50
