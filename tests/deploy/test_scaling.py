"""What KEDA is told, asked of Prometheus: none are needed only where somebody knows that there is no work."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.programs import ROOT, judged

SCALED = yaml.safe_load((ROOT / "deploy/kubernetes/overlays/gpu/scaling.yaml").read_text())["spec"]
UP, AWAY = (f'darkroom_dependency_up{{dependency="ledger", instance="{number}"}}' for number in (1, 2))
WORK = 'darkroom_jobs_expected_seconds{model="sdxl", state="queued", instance="1"}'


def series(**values: str) -> list[dict[str, str]]:
    names = {"up": UP, "away": AWAY, "work": WORK, "same_work": WORK.replace('"1"', '"2"')}
    return [{"series": names[name], "values": value} for name, value in values.items()]


@pytest.mark.parametrize(
    ("told", "needed"),
    [
        (series(up="1", work="90"), 90),
        (series(up="1", away="0", work="90", same_work="90"), 90),
        (series(up="1"), 0),
        (series(up="1", away="0"), 0),
        (series(away="0"), None),
        ([], None),
    ],
    ids=["work", "two gateways tell the same", "no work", "one gateway knows", "nobody knows", "nobody is asked"],
)
def test_workers_are_counted_by_what_is_known(told: list[dict[str, str]], needed: int | None, tmp_path: Path) -> None:
    expected = [] if needed is None else [{"labels": "{}", "value": needed}]
    asked = {"expr": _trigger()["query"], "eval_time": "0m", "exp_samples": expected}
    tried = {
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": told, "promql_expr_test": [asked]}],
    }
    (tmp_path / "scaling.test.yml").write_text(yaml.safe_dump(tried))
    judged("promtool", "test", "rules", tmp_path / "scaling.test.yml")


def test_what_nobody_knows_is_no_reason_to_have_none() -> None:
    assert _trigger()["ignoreNullValues"] == "false"
    assert SCALED["fallback"]["replicas"] >= 1
    assert SCALED["minReplicaCount"] == 0


def _trigger() -> dict[str, Any]:
    (trigger,) = SCALED["triggers"]
    metadata: dict[str, Any] = trigger["metadata"]
    return metadata
