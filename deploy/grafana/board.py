"""Writes the dashboard that Grafana is given: one row a question, one panel an answer.

python -m deploy.grafana.board
"""

import json
from pathlib import Path
from typing import Any

from deploy.grafana.panels import ROWS, Panel

TARGET = Path(__file__).parent / "dashboards" / "darkroom.json"
WIDTH, HEIGHT, COLUMNS = 8, 7, 3


def board() -> dict[str, Any]:
    """The dashboard, as Grafana's file provider reads it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for question, answers in ROWS.items():
        panels.append({"type": "row", "title": question, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}, "panels": []})
        for number, answer in enumerate(answers):
            place = {
                "x": WIDTH * (number % COLUMNS),
                "y": top + 1 + HEIGHT * (number // COLUMNS),
                "w": WIDTH,
                "h": HEIGHT,
            }
            panels.append(_panel(answer, place))
        top += 1 + HEIGHT * -(-len(answers) // COLUMNS)
    return {
        "uid": "darkroom",
        "title": "darkroom",
        "tags": ["darkroom"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "panels": [{**panel, "id": number} for number, panel in enumerate(panels, 1)],
    }


def _panel(answer: Panel, place: dict[str, int]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "prometheus"}
    letters = zip("ABCDEF", answer.queries, strict=False)
    return {
        "type": "timeseries",
        "title": answer.title,
        "description": answer.about,
        "gridPos": place,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": answer.unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": letter, "expr": expression, "legendFormat": legend, "datasource": source}
            for letter, (expression, legend) in letters
        ],
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(board(), indent=1) + "\n")
