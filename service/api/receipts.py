"""What readers can do with the receipt of their comment: follow it."""

from __future__ import annotations

from flask import Response

from service.comments.receipts import ReceiptStatus, find_receipt
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.responses import PRIVATE, json_response
from service.http.sharing import shared, wanted_site

api = Noun("receipts", "Receipts", "A reader's own comment, by the receipt of its post.")
ROUTE = "/v1/receipts/<receipt>"


@api.call(
    "GET",
    ROUTE,
    summary="Follow a comment",
    says="The comment's status and the reason for it.",
    answers={404: "There is no such receipt."},
    answer=ReceiptStatus,
)
def read_receipt(receipt: str) -> Response:
    """Read the status of a comment, using the receipt that you got when you posted it. `field` and
    `suggestion` are present if the author can correct the comment.
    """
    found = find_receipt(receipt)
    if found is None:
        raise Problem(404, "There is no such receipt.")
    return shared(wanted_site(found.site), json_response(found.answer, headers=PRIVATE))
