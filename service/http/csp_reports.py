"""Count the browsers' reports about the Content-Security-Policy of our pages, and store nothing
else.

A report quotes addresses and code, and anyone can send one. So only the name of the directive is
read, and only known names are counted separately. A browser sends a report to the address in the
page's headers: `report-to`, or `report-uri` in older browsers.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Annotated, NamedTuple

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from models.runtime import part
from service.http import limits
from service.http.addresses import owner_of
from service.http.problems import Problem
from service.http.transport import is_https

PAGES = ("console", "docs", "embed")
MOST_BYTES = 64 * 1024
MOST_REPORTS = 20  # of one body; browsers send several at once
CSP = "csp-violation"  # the type of a report
OTHER = "other"
DIRECTIVES = frozenset(
    {
        "base-uri",
        "child-src",
        "connect-src",
        "default-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "require-trusted-types-for",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "trusted-types",
        "worker-src",
    }
)

csp_reports = Blueprint("csp_reports", __name__)


class Kind(NamedTuple):
    """The labels of a count."""

    page: str
    directive: str


class _Violation(BaseModel):
    """The older form has `effective-directive`, or only `violated-directive` with its sources."""

    model_config = ConfigDict(extra="ignore")

    new: Annotated[str, Field(alias="effectiveDirective")] = ""
    old: Annotated[str, Field(alias="effective-directive")] = ""
    oldest: Annotated[str, Field(alias="violated-directive")] = ""

    @property
    def directive(self) -> str:
        name = (self.new or self.old or self.oldest).partition(" ")[0]
        return name if name in DIRECTIVES else OTHER


class _Report(BaseModel):
    """One report of the Reporting API. The body of another type has none of our fields."""

    type: str
    body: _Violation


class _Reports(RootModel[list[_Report]]):
    """The body that `report-to` sends."""


class _OldReport(BaseModel):
    """The body that `report-uri` sends."""

    violation: Annotated[_Violation, Field(alias="csp-report")]


def headers_for(page: str, policy: str) -> dict[str, str]:
    """Return the headers of a page of that kind with this policy.

    Chromium knows `report-to` only over https, and ignores `report-uri` beside it even over http.
    """
    address = f"/csp-reports/{page}"
    policy = f"{policy}; report-uri {address}"
    if not is_https():
        return {"Content-Security-Policy": policy}
    return {
        "Content-Security-Policy": f"{policy}; report-to csp",
        "Reporting-Endpoints": f'csp="{address}"',
    }


@csp_reports.post("/csp-reports/<page>")
def take_reports(page: str) -> Response:
    """Count the reports of one body."""
    if page not in PAGES:
        raise Problem(404, "Greenroom collects no reports for this kind of page.")
    if refused := limits.count_report(owner_of(request.remote_addr or "")):
        raise refused
    request.max_content_length = MOST_BYTES
    try:
        found = _violations(request.get_data(cache=False))
    except ValidationError:
        raise Problem(400, "This is not a Content-Security-Policy report.") from None
    for violation in found:
        counted().add(Kind(page, violation.directive))
    return Response(status=204)


def _violations(body: bytes) -> list[_Violation]:
    if request.mimetype == "application/csp-report":
        return [_OldReport.model_validate_json(body).violation]
    reports = _Reports.model_validate_json(body).root[:MOST_REPORTS]
    return [report.body for report in reports if report.type == CSP]


class Counted:
    """Return how many reports this process has counted, by kind."""

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()
        self._lock = threading.Lock()

    def add(self, kind: Kind) -> None:
        with self._lock:
            self._counts[kind] += 1

    def all(self) -> dict[Kind, int]:
        with self._lock:
            return dict(self._counts)


@part
def counted() -> Counted:
    return Counted()
