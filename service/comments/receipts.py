"""The commenter's private receipt: with it, they can read the status of their comment."""

from __future__ import annotations

import hmac
from typing import Annotated, NamedTuple, NotRequired

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.judgement.evidence import RESERVED_NAME
from models.locales.words import read_words
from models.records import Comment, DecisionRecord, Screening, Site, Thread
from models.store.database import reading
from models.store.receipts import SIGNATURE_BYTES, receipt_of
from models.text.stamps import utc_stamp
from service.http.api_types import Id, OneOf, Time
from service.readers.appeals import ShownAppeal, ShownStatement, told_about

__all__ = ["SIGNATURE_BYTES", "find_receipt", "receipt_of"]
_OF_A_MODERATOR = ("spam", "abuse", "off_topic")  # reasons with a sentence of their own


class ReceiptStatus(TypedDict):
    """The status of a comment. `field` and `suggestion` are present if its author can correct
    it. `statement` says why it was rejected, unless as spam, and `appeal` what became of the
    author's appeal.
    """

    id: Id
    status: Annotated[str, OneOf(("pending", "approved", "flagged", "rejected"))]
    reason: Annotated[str | None, Field(examples=["Your comment was deleted."])]
    at: Time
    field: NotRequired[Annotated[str, Field(examples=["email"])]]
    suggestion: NotRequired[Annotated[str | None, Field(examples=["gmail.com"])]]
    statement: ShownStatement | None
    appeal: ShownAppeal | None


class Correction(TypedDict):
    """What an author can correct, and why: an email address that is impossible, with the domain
    that the author may have meant, or a name that is another person's.
    """

    reason: str
    field: str
    suggestion: str | None


class Receipt(NamedTuple):
    """`because` is the name of the reason's sentence in the `pages` of a locale file."""

    site: str
    thread: str
    answer: ReceiptStatus
    because: str | None


def find_receipt(receipt: str) -> Receipt | None:
    """Return the outcome of the comment, and where it belongs. None if the receipt is not one of
    ours.
    """
    comment_id, _, _ = receipt.partition(".")
    if not is_id(comment_id) or not hmac.compare_digest(
        receipt_of(comment_id).encode(), receipt.encode()
    ):
        return None
    wanted = select(
        Comment.status,
        Comment.settled_at,
        Comment.at,
        Site.key.label("site"),
        Thread.key.label("thread"),
    )
    wanted = wanted.join(Site, Site.id == Comment.site_id).join(
        Thread, Thread.id == Comment.thread_id
    )
    with reading() as session:
        row = session.execute(wanted.where(Comment.id == comment_id)).one_or_none()
        if row is None:
            return None
        because = _because(session, comment_id, row.status)
        is_held = row.status in {"rejected", "flagged"}
        correction = _correction(session, comment_id) if is_held else None
        told = told_about(session, comment_id, row.status)
    answer: ReceiptStatus = {
        "id": comment_id,
        "status": "rejected" if row.status == "deleted" else row.status,
        "reason": read_words("en").pages[because] if because else None,
        "at": utc_stamp(row.settled_at or row.at),
        "statement": told.statement,
        "appeal": told.appeal,
    }
    if correction:
        answer = {**answer, **correction}
    return Receipt(row.site, row.thread, answer, because)


def _because(session: Session, comment_id: str, status: str) -> str | None:
    """Return a useful reason that does not name the word or link, because that would only help the
    next spammer.
    """
    if status == "deleted":
        return "because_deleted"
    if status == "flagged":
        return "flagged"
    if status != "rejected":
        return None
    log = select(DecisionRecord.reason).where(DecisionRecord.comment_id == comment_id)
    latest = log.order_by(DecisionRecord.version.desc(), DecisionRecord.id.desc()).limit(1)
    reason = session.scalar(latest)
    return f"because_{reason if reason in _OF_A_MODERATOR else 'rules'}"


def _correction(session: Session, comment_id: str) -> Correction | None:
    """Return the finding that the commenter can correct."""
    latest = select(Screening.evidence).where(Screening.comment_id == comment_id)
    evidence = session.execute(latest.order_by(Screening.number.desc()).limit(1)).scalar() or []
    for item in evidence:
        if item["check"] == "email" and "impossible" in item["found"]:
            suggestion = item["found"].get("suggestion")
            return {
                "reason": item["found"]["impossible"],
                "field": "email",
                "suggestion": suggestion,
            }
        if item["check"] == "author" and RESERVED_NAME in item["found"]:
            taken = read_words("en").identity["taken"]
            return {"reason": taken, "field": "name", "suggestion": None}
    return None
