"""API calls to report a comment, and to learn what came of a report."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field
from typing_extensions import TypedDict

from service.http.calls import Header, Noun
from service.http.problems import Problem
from service.http.responses import PRIVATE, json_response
from service.http.sharing import preflight, shared, wanted_site
from service.readers.identity import IDENTITY, identify
from service.readers.reports import NewReport, ReportStatus, count_report, file_report, find_report

ROUTE = "/v1/sites/<site>/comments/<comment_id>/reports"

api = Noun("reports", "Reports", "Readers report comments that break the rules.")
WHO = {
    IDENTITY: Header(
        what="Who sends this: a token of the site's sign-on, or a reader key. It is optional.",
        schema={"type": "string"},
    )
}


class Reported(TypedDict):
    """A report. Its `receipt` tells the outcome."""

    receipt: Annotated[
        str,
        Field(examples=["/v1/reports/0195511c-6a20-7c3e-9d41-3f1f0a6b52c7.yzSXb2cPqTnU0Z0b0ZqB1g"]),
    ]


@api.call(
    "POST",
    ROUTE,
    summary="Report a comment",
    says="The report was received, now or earlier. Use the receipt to learn the outcome.",
    status=202,
    answers={
        401: "The identity token or reader key is not valid.",
        404: "There is no such site, or this comment is not published.",
        429: "Too many reports in a short time. Retry-After says how long to wait.",
    },
    answer=Reported,
    headers_in=WHO,
)
def report_comment(site: str, comment_id: str, body: NewReport) -> Response:
    """Report a published comment to the moderators. A reader counts once for each comment: a
    repeated report changes nothing. If the open reports of a comment weigh enough together, it is
    held until a moderator decides. A report weighs 2 × (upheld + 1) / (upheld + dismissed + 2),
    from 0.25 to 2, by the reporter's earlier reports on the site. Comments of the site's staff are
    never held by reports.
    """
    info = wanted_site(site)
    count_report(info)
    receipt = file_report(info, comment_id, body, identify(info))
    answer: Reported = {"receipt": f"/v1/reports/{receipt}"}
    return shared(info, json_response(answer, 202, PRIVATE))


@api.call(
    "GET",
    "/v1/reports/<receipt>",
    summary="Follow a report",
    says="What came of the report.",
    answers={404: "There is no such receipt."},
    answer=ReportStatus,
)
def read_report(receipt: str) -> Response:
    """Learn whether a moderator has decided about the comment that you reported."""
    found = find_report(receipt)
    if found is None:
        raise Problem(404, "There is no such receipt.")
    return shared(wanted_site(found.site), json_response(found.answer, headers=PRIVATE))


@api.route(ROUTE, methods=["OPTIONS"])
def preflight_reports(site: str, comment_id: str) -> Response:
    return preflight(wanted_site(site), "POST")
