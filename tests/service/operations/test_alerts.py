"""Alerts, runbooks and dashboard use existing metrics, and refer to each other."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.operations.rules import RULES
from service.operations.violation import NOTHING, Violation
from tests.caller import Client
from tests.service.operations.test_doctor import FOR_NO_COMMAND
from tests.service.operations.test_metrics import NAMES_OF_THE_DESIGN
from tests.service.operations.told import told_by

FOLDER = Path(__file__).parents[3] / "operations"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0][
    "rules"
]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
RUNBOOKS = (FOLDER / "RUNBOOKS.md").read_text()
ASKED = [rule["expr"] for rule in ALERTS] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]


def paragraphs() -> dict[str, str]:
    """Return the sections by heading."""
    parts = re.split(r"^## (.+)\n", RUNBOOKS, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_alerts_use_existing_metrics_and_labels(client: Client) -> None:
    told_by(client)  # a first request, so that it has a metric
    labels_of = told_by(client).names
    for expr in ASKED:
        bare = re.sub(r'"[^"]*"', "", expr)
        names = set(re.findall(r"\b(?:greenroom|process)_\w+", bare))
        assert names, expr
        assert names <= labels_of.keys(), expr
        selected = re.findall(r"([a-z]+)\s*[=!]~?", " ".join(re.findall(r"\{[^}]*\}", bare)))
        grouped = re.findall(r"\w+", " ".join(re.findall(r"\b(?:by|on) \(([^)]*)\)", bare)))
        known = set().union(*(labels_of[name] for name in names))
        assert {*selected, *grouped} <= known | {"instance"}, expr  # that one is Prometheus's own


def test_every_metric_of_the_design_is_watched_by_an_alert_and_shown() -> None:
    watched = " ".join(rule["expr"] for rule in ALERTS)
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    for name in NAMES_OF_THE_DESIGN:
        assert name in watched, name
        assert name in shown, name


def test_routes_and_checks_that_are_named_exist(client: Client) -> None:
    routes = {rule.rule for rule in client.application.url_map.iter_rules()}
    named = {route for expr in ASKED for route in re.findall(r'route="([^"]+)"', expr)}
    assert named
    assert named <= routes


def test_every_alert_has_its_paragraph_and_every_paragraph_its_alert() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert [*names, "Doctor", "Keys"] == list(paragraphs())
    for rule in ALERTS:
        assert rule["annotations"]["runbook"] == f"operations/RUNBOOKS.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert "for" in rule
    for heading, words in paragraphs().items():
        assert len(words.split()) > 40, heading
    assert set(re.findall(r"Alert: (\w+)", str(PANELS))) <= set(names)
    assert set(re.findall(r"Greenroom[A-Z]\w+", RUNBOOKS)) <= set(names)


def test_the_runbook_has_a_row_for_each_problem_that_no_command_repairs() -> None:
    said = str(Violation("as decided", "comment", "1", "approved, and rejected", NOTHING))
    assert said.endswith("see operations/RUNBOOKS.md, Doctor, as decided")
    about = paragraphs()["Doctor"]
    for rule in FOR_NO_COMMAND | {rule.name for rule in RULES if rule.command == NOTHING}:
        assert rule in about, rule


def test_the_dashboards_panels_do_not_lie_on_each_other() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations([panel["gridPos"] for panel in PANELS], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


# The metrics if all is well, and for each alert the value that makes it fire.
FINE = {
    "greenroom_database_answers": 1,
    "greenroom_workers": 1,
    "greenroom_sweep_last_seconds": 4,
    "greenroom_oldest_pending_seconds": 2,
    "greenroom_publish_lag_seconds": 0,
    "greenroom_webhook_oldest_due_seconds": 0,
    "greenroom_mail_oldest_due_seconds": 0,
    'greenroom_mails{state="retried"}': 3,
    'greenroom_mails{state="dead"}': 0,
    "greenroom_oldest_review_seconds": 3600,
    'greenroom_checks_unavailable{check="email"}': 0,
    "process_resident_memory_bytes": 90e6,
}
POSTS = 'route="/v1/sites/<site>/comments", method="POST"'
COUNTED = {
    f'greenroom_http_request_seconds_count{{{POSTS}, status="202"}}': 1000,
    f'greenroom_http_request_seconds_count{{{POSTS}, status="503"}}': 0,
    f'greenroom_http_request_seconds_bucket{{{POSTS}, status="202", le="0.5"}}': 1000,
    f'greenroom_http_request_seconds_bucket{{{POSTS}, status="202", le="2.5"}}': 1000,
    f'greenroom_http_request_seconds_bucket{{{POSTS}, status="202", le="+Inf"}}': 1000,
    'greenroom_bell_dropped_total{why="not taken"}': 0,
}  # how much each grows in 30 s
WRONG: dict[str, dict[str, float]] = {
    "GreenroomSilent": {"greenroom_database_answers": float("nan")},
    "GreenroomDatabaseAway": {"greenroom_database_answers": 0},
    "GreenroomErrors": {f'greenroom_http_request_seconds_count{{{POSTS}, status="503"}}': 50},
    "GreenroomNoWorkers": {"greenroom_workers": 0},
    "GreenroomSweepStopped": {"greenroom_sweep_last_seconds": float("inf")},
    "GreenroomCommentsWait": {"greenroom_oldest_pending_seconds": 400},
    "GreenroomPagesLag": {"greenroom_publish_lag_seconds": 200},
    "GreenroomWebhooksWait": {"greenroom_webhook_oldest_due_seconds": 1000},
    "GreenroomMailsWait": {"greenroom_mail_oldest_due_seconds": 1000},
    "GreenroomMailsFail": {'greenroom_mails{state="dead"}': 9},
    "GreenroomReviewsWait": {"greenroom_oldest_review_seconds": 90000},
    "GreenroomCheckUnavailable": {'greenroom_checks_unavailable{check="email"}': 7},
    "GreenroomBellSilent": {'greenroom_bell_dropped_total{why="not taken"}': 3},
    "GreenroomSlow": {
        f'greenroom_http_request_seconds_bucket{{{POSTS}, status="202", le="0.5"}}': 900
    },
    "GreenroomMemory": {"process_resident_memory_bytes": 240e6},
}


def test_prometheus_itself_takes_the_rules_and_each_fires_for_what_it_is_for(
    tmp_path: Path,
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: on Debian, the package prometheus")
    assert WRONG.keys() == {rule["alert"] for rule in ALERTS}
    cases = {
        "rule_files": [str(FOLDER / "alerts.yml")],
        "tests": [_case({}, None), *map(_case, WRONG.values(), WRONG)],
    }
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases))
    for command in (
        ["check", "rules", str(FOLDER / "alerts.yml")],
        ["test", "rules", str(tmp_path / "cases.yml")],
    ):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _case(wrong: dict[str, float], fires: str | None) -> dict[str, Any]:
    """Return a promtool case: only this value is wrong, so only that alert fires."""
    values = {name: _steady(wrong.get(name, value)) for name, value in FINE.items()}
    values |= {name: f"0+{wrong.get(name, step)}x120" for name, step in COUNTED.items()}
    fired = [{"labels": f'{{alertname="{fires}"}}', "value": 1}] if fires else []
    asked = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "1h",
        "exp_samples": fired,
    }
    series = [{"series": _of_an_instance(name), "values": told} for name, told in values.items()]
    return {"interval": "30s", "input_series": series, "promql_expr_test": [asked]}


def _of_an_instance(name: str) -> str:
    return name.replace("{", '{instance="web", ') if "{" in name else f'{name}{{instance="web"}}'


def _steady(value: float) -> str:
    """Return an hour of a constant value; NaN means no value."""
    if math.isnan(value):
        return "_x120"
    return " ".join(["+Inf"] * 121) if math.isinf(value) else f"{value}x120"
