"""Browsers report what our Content-Security-Policy blocked; Greenroom counts reports and stores
none.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.settings import settings
from service.http import limits
from service.http.csp_reports import MOST_BYTES, MOST_REPORTS
from tests.caller import Answer, Client
from tests.service.operations.told import told_by

NEW, OLD = "application/reports+json", "application/csp-report"
EVIL = "https://evil.example/<script>"


def violation(directive: str, **more: Any) -> dict[str, Any]:
    body = {"effectiveDirective": directive, "documentURL": EVIL, "sample": "alert(1)"}
    return {"type": "csp-violation", "age": 3, "url": EVIL, "body": body, **more}


def report(client: Client, page: str, content: object, kind: str = NEW) -> Answer:
    return client.post(f"/csp-reports/{page}", data=json.dumps(content), content_type=kind)


def counted(client: Client, page: str, directive: str) -> float:
    return told_by(client)("greenroom_csp_reports_total", page=page, directive=directive)


PAGES = {
    "/console/sign-in": "console",
    "/console/nowhere": "console",
    "/docs": "docs",
    "/docs/webhooks": "docs",
    "/demo": "embed",
    "/sites/demo/thread?thread=/a": "embed",
}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_names_the_address_for_reports_in_both_ways(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("GREENROOM_PUBLIC_URL", "https://comments.paper.example")
    settings.cache_clear()
    headers = client.get(path).headers
    address = f"/csp-reports/{PAGES[path]}"
    assert headers["Reporting-Endpoints"] == f'csp="{address}"'
    policy = headers["Content-Security-Policy"].split("; ")
    assert policy[-2:] == [f"report-uri {address}", "report-to csp"]


@pytest.mark.parametrize("path", PAGES)
def test_over_http_the_older_way_is_the_only_one(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert "Reporting-Endpoints" not in headers
    assert headers["Content-Security-Policy"].endswith(f"; report-uri /csp-reports/{PAGES[path]}")


def test_reports_are_counted_by_page_and_directive(client: Client) -> None:
    sent = [violation("script-src-elem"), violation("img-src"), violation("img-src")]
    assert report(client, "console", sent).status_code == 204
    old = {"csp-report": {"violated-directive": "img-src 'self'", "blocked-uri": EVIL}}
    assert report(client, "embed", old, OLD).status_code == 204
    assert counted(client, "console", "script-src-elem") == 1
    assert counted(client, "console", "img-src") == 2
    assert counted(client, "embed", "img-src") == 1


def test_nothing_of_a_report_appears_in_the_metrics(client: Client) -> None:
    sent = [violation(EVIL), violation("x" * 5000), {"type": "deprecation", "body": {"id": EVIL}}]
    assert report(client, "docs", sent).status_code == 204
    assert counted(client, "docs", "other") == 2
    told = client.get("/metrics").text
    assert "evil" not in told
    assert "xxx" not in told


def test_one_body_counts_for_a_few_reports_only(client: Client) -> None:
    many = [violation("img-src")] * (MOST_REPORTS + 5)
    assert report(client, "docs", many).status_code == 204
    assert counted(client, "docs", "img-src") == MOST_REPORTS


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("[]", NEW, 204),
        ("{", NEW, 400),
        ("[1]", NEW, 400),
        ('{"csp-report": 1}', OLD, 400),
        ("\N{REPLACEMENT CHARACTER}", OLD, 400),
        ("", NEW, 400),
        (" " * (MOST_BYTES + 1), NEW, 413),
    ],
)
def test_a_body_that_is_no_report_is_refused(
    client: Client, content: str, kind: str, status: int
) -> None:
    answer = client.post("/csp-reports/console", data=content, content_type=kind)
    assert answer.status_code == status
    if status != 204:
        assert answer.mimetype == "application/problem+json"


def test_only_our_kinds_of_pages_have_an_address(client: Client) -> None:
    assert report(client, "elsewhere", []).status_code == 404


def test_an_address_that_sends_too_many_reports_gets_a_429(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    statuses = [
        report(client, "docs", []).status_code for _ in range(limits.REPORTS_PER_MINUTE + 1)
    ]
    assert statuses == [204] * limits.REPORTS_PER_MINUTE + [429]
