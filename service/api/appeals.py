"""The call with which the author of a rejected comment appeals."""

from __future__ import annotations

from flask import Response

from service.comments.receipts import find_receipt
from service.http import limits, sharing
from service.http.addresses import reader
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.responses import PRIVATE, json_response
from service.http.sharing import shared, wanted_site
from service.readers.appeals import NewAppeal, ShownAppeal, appeal

api = Noun("appeals", "Appeals", "Appeals against the rejection of a comment.")
ROUTE = "/v1/receipts/<receipt>/appeal"


@api.call(
    "POST",
    ROUTE,
    summary="Appeal against a rejection",
    says="The appeal. The receipt shows its outcome.",
    status=201,
    answers={
        404: "There is no such receipt.",
        409: (
            "The comment is not rejected, was rejected as spam, or there was an appeal already; or "
            "six months have passed."
        ),
        429: "Too many calls in a short time. Retry-After says how long to wait.",
    },
    answer=ShownAppeal,
)
def appeal_decision(receipt: str, body: NewAppeal) -> Response:
    """Appeal against the rejection of a comment, using its receipt, once and within six months. A
    person other than the one who rejected it decides, if the site has one.
    """
    found = find_receipt(receipt)
    if found is None:
        raise Problem(404, "There is no such receipt.")
    site = wanted_site(found.site)
    if too_fast := limits.count_post(site.key, reader()):
        raise too_fast
    return shared(site, json_response(appeal(found.answer["id"], body.text), 201, PRIVATE))


@api.route(ROUTE, methods=["OPTIONS"])
def preflight(receipt: str) -> Response:
    found = find_receipt(receipt)
    if found is None:
        raise Problem(404, "There is no such receipt.")
    return sharing.preflight(wanted_site(found.site), "POST")
