"""What readers can do with the receipt of their comment: follow it, edit it, delete it."""

from __future__ import annotations

from flask import Response, request

from service.comments import owning
from service.comments.receipts import Receipt, ReceiptStatus, find_receipt
from service.comments.submission import NewText
from service.http import limits, sharing
from service.http.addresses import reader
from service.http.body_sizes import COMMENT_BYTES
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import body_as
from service.http.responses import PRIVATE, json_response
from service.http.sharing import shared, wanted_site

api = Noun("receipts", "Receipts", "A reader's own comment, by the receipt of its post.")
ROUTE = "/v1/receipts/<receipt>"
UNKNOWN = "There is no such receipt."
TOO_MANY = "Too many changes in a short time. Retry-After says how long to wait."


@api.call(
    "GET",
    ROUTE,
    summary="Follow a comment",
    says="The comment's status and the reason for it.",
    answers={404: UNKNOWN},
    answer=ReceiptStatus,
)
def read_receipt(receipt: str) -> Response:
    """Read the status of a comment, using the receipt that you got when you posted it. `field` and
    `suggestion` are present if the author can correct the comment.
    """
    return _answer(_wanted(receipt))


@api.call(
    "PATCH",
    ROUTE,
    summary="Edit your comment",
    says="The new text was accepted. A public comment keeps its old text until it is approved.",
    answers={
        403: "The comment can no longer be edited, or the site does not allow edits.",
        404: UNKNOWN,
        429: TOO_MANY,
    },
    answer=ReceiptStatus,
    body=NewText,
)
def edit_comment(receipt: str) -> Response:
    """Change the text of a comment before `editable_until`. Greenroom checks the new text like a
    new comment. `edit` in the receipt shows the result.
    """
    found = _wanted(receipt)
    _count()
    if (request.content_length or 0) > COMMENT_BYTES:
        raise Problem(413, "The body is too large: at most 128 KB.")
    owning.edit(found.comment_id, body_as(NewText))
    return _answer(_wanted(receipt))


@api.call(
    "DELETE",
    ROUTE,
    summary="Delete your comment",
    says="The comment was deleted. Replies to it keep their place.",
    status=204,
    answers={404: UNKNOWN, 429: TOO_MANY},
)
def delete_comment(receipt: str) -> Response:
    """Erase a comment, whatever its status. Deleting it twice has no further effect."""
    found = _wanted(receipt)
    _count()
    owning.delete(found.comment_id)
    return shared(wanted_site(found.site), Response(status=204))


@api.route(ROUTE, methods=["OPTIONS"])
def preflight(receipt: str) -> Response:
    return sharing.preflight(wanted_site(_wanted(receipt).site), "GET, PATCH, DELETE")


def _wanted(receipt: str) -> Receipt:
    """Return the receipt, and let the pages of its site read the answer."""
    found = find_receipt(receipt)
    if found is None:
        raise Problem(404, UNKNOWN)
    wanted_site(found.site)
    return found


def _count() -> None:
    if too_fast := limits.count_change(reader()):
        raise too_fast


def _answer(found: Receipt) -> Response:
    return shared(wanted_site(found.site), json_response(found.answer, headers=PRIVATE))
