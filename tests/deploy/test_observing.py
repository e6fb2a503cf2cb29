"""Rules, alerts and boards, held against what is measured."""

import json
import re
from pathlib import Path

import yaml
from prometheus_client import ProcessCollector

from darkroom.metrics import Metrics
from deploy.grafana.board import TARGET, board
from deploy.grafana.panels import ROWS
from tests.deploy.programs import ROOT, judged

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
ALERTS = [rule for group in RULES for rule in group["rules"] if "alert" in rule]
NAMES = {alert["alert"] for alert in ALERTS}
RECORDED = {rule["record"] for group in RULES for rule in group["rules"] if "record" in rule}
PANELS = [panel for panels in ROWS.values() for panel in panels]
_NAMES = re.compile(r"\bdarkroom(?:_[a-z0-9]+)+\b|\bdarkroom(?::[a-z0-9_]+)+\b")
_PROCESS = re.compile(r"\bprocess_[a-z_]+\b")
# Of prometheus_client's own collector, which every process of ours shows.
SHOWN_OF_PROCESSES = {sample.name for family in ProcessCollector(registry=None).collect() for sample in family.samples}
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def measured() -> set[str]:
    """Every name that a process of ours may show."""
    families = Metrics().registry.collect()
    return {f"{family.name}{suffix}" for family in families for suffix in _SUFFIXES[family.type]}


def test_promtool_finds_no_fault_with_the_rules() -> None:
    judged("promtool", "check", "rules", PROMETHEUS / "rules.yml")


def test_alerts_fire_when_they_should_and_only_then() -> None:
    judged("promtool", "test", "rules", "rules.test.yml", where=PROMETHEUS)


def test_every_alert_is_seen_to_fire_and_to_stay_silent() -> None:
    cases = yaml.safe_load((PROMETHEUS / "rules.test.yml").read_text())["tests"]
    tried = [each for case in cases for each in case.get("alert_rule_test", ())]
    assert {each["alertname"] for each in tried if each["exp_alerts"]} == NAMES
    assert {each["alertname"] for each in tried if not each["exp_alerts"]} == NAMES


def promises() -> dict[str, str]:
    """What the guide promises, and by what a break of it is noticed."""
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("## What we promise")[2].partition("\n## ")[0]
    rows = [row.strip("|").split(" | ") for row in table.splitlines() if row.startswith("| ")][1:]
    return {row[0].strip(): row[-1].strip() for row in rows}


def test_a_broken_promise_is_noticed_by_an_alert_or_the_guide_says_why_not() -> None:
    told = promises()
    assert len(told) > 10
    for promise, noticed in told.items():
        named = set(re.findall(r"Darkroom[A-Za-z]+", noticed))
        assert named <= NAMES, promise
        assert named or noticed.startswith("tests alone: "), promise


def test_alerts_for_whatever_can_be_told_lie_with_a_promise_or_with_a_runbook() -> None:
    pages = (ROOT / "docs" / "runbooks.md").read_text()
    assert {alert for alert in NAMES if f"*{alert}" not in pages and f" {alert}" not in pages} == set()


def test_promtool_finds_no_fault_with_the_configuration() -> None:
    judged("promtool", "check", "config", "--syntax-only", "prometheus.yml", where=PROMETHEUS)


def test_rules_ask_for_what_is_measured() -> None:
    asked = {name for group in RULES for rule in group["rules"] for name in _NAMES.findall(rule["expr"])}
    assert len(asked) > 10
    assert asked <= measured() | RECORDED
    of_processes = {name for group in RULES for rule in group["rules"] for name in _PROCESS.findall(rule["expr"])}
    assert of_processes <= SHOWN_OF_PROCESSES


def test_every_alert_leads_to_a_page_that_says_what_to_do() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for alert in ALERTS:
        page, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert (page, anchor in anchors) == ("docs/runbooks.md", True), alert["alert"]


def test_the_board_is_the_one_that_is_written() -> None:
    """`python -m deploy.grafana.board` writes it."""
    assert json.loads(TARGET.read_text()) == board()


def test_every_panel_asks_for_what_is_measured(tmp_path: Path) -> None:
    expressions = [query for panel in PANELS for query, _ in panel.queries]
    asked = {name for query in expressions for name in _NAMES.findall(query)}
    assert len(asked) > 15
    assert asked <= measured() | RECORDED
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(expressions)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    judged("promtool", "check", "rules", tmp_path / "panels.yml")


def test_everything_measured_is_looked_at_somewhere() -> None:
    looked_at = {name for panel in PANELS for query, _ in panel.queries for name in _NAMES.findall(query)}
    looked_at |= {name for group in RULES for rule in group["rules"] for name in _NAMES.findall(rule["expr"])}
    families = {family.name for family in Metrics().registry.collect()}
    unseen = {family for family in families if not any(name.startswith(family) for name in looked_at)}
    assert unseen <= {"darkroom_dependency_up", "darkroom_spool_pictures"}


def test_promtool_finds_no_fault_with_what_is_shown(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.answered(route="/livez", method="GET", status=200, seconds=0.1)
    metrics.line("tiny", waiting=1, oldest=2.0, queued=3.0, running=4.0)
    metrics.ended(model="tiny", state="failed", code="nan_output")
    metrics.used(tenant="t", model="tiny", state="failed", seconds=1.0)
    metrics.passed("tiny", 4, 8, 0.1)
    metrics.idled("work", 0.2)
    metrics.stored("put", "ok", 0.1)
    metrics.cache("models").hit()
    metrics.cache("models").loaded(2.0)
    metrics.cache("models").holds(1)
    with metrics.stage("sign"):
        pass
    (tmp_path / "metrics").write_bytes(metrics.render())
    with (tmp_path / "metrics").open("rb") as shown:
        judged("promtool", "check", "metrics", stdin=shown)
