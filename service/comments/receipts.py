"""The commenter's private receipt: whoever holds it may ask what became of the comment."""

from __future__ import annotations

import base64
import hmac
from typing import Annotated, NamedTuple, NotRequired

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.records import Comment, DecisionRecord, Screening, Site, Thread
from models.store.database import reading
from models.store.secrets import secrets
from models.text.stamps import utc_stamp
from service.http.api_types import Id, OneOf, Time

SIGNATURE_BYTES = 16
_REASONS = {
    "spam": "A moderator took this comment for advertising.",
    "abuse": "A moderator found that this comment breaks the rules of conversation.",
    "off_topic": "A moderator found this comment off topic.",
}


class ReceiptStatus(TypedDict):
    """The status of a comment. `field` and `suggestion` are present if its author can correct
    it.
    """

    id: Id
    status: Annotated[str, OneOf(("pending", "approved", "flagged", "rejected"))]
    reason: Annotated[str | None, Field(examples=["This comment was deleted."])]
    at: Time
    field: NotRequired[Annotated[str, Field(examples=["email"])]]
    suggestion: NotRequired[Annotated[str | None, Field(examples=["gmail.com"])]]


class Why(TypedDict):
    """A reason in words and, for a field that its author can correct, the field."""

    reason: str
    field: NotRequired[str]
    suggestion: NotRequired[str | None]


class Receipt(NamedTuple):
    site: str
    thread: str
    answer: ReceiptStatus


def receipt_of(comment_id: str) -> str:
    """The id and a signature: nothing to store, and nothing to guess."""
    digest = hmac.digest(secrets().derived("receipt"), comment_id.encode(), "sha256")[
        :SIGNATURE_BYTES
    ]
    return f"{comment_id}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def find_receipt(receipt: str) -> Receipt | None:
    """What became of the comment, and where it belongs. None if the receipt is not one of ours."""
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
        is_held = row.status in {"rejected", "flagged"}
        told = _why(session, comment_id, row.status) if is_held else None
    answer: ReceiptStatus = {
        "id": comment_id,
        "status": "rejected" if row.status == "deleted" else row.status,
        "reason": "This comment was deleted." if row.status == "deleted" else None,
        "at": utc_stamp(row.settled_at or row.at),
    }
    if told:
        answer = {**answer, **told}
    return Receipt(row.site, row.thread, answer)


def _why(session: Session, comment_id: str, status: str) -> Why:
    """A usable reason, but not the trip wire: which word or link it was would only help the next
    spammer.
    """
    wrong_email = _wrong_email(session, comment_id)
    if wrong_email:
        return wrong_email
    if status == "flagged":
        return {"reason": "A moderator will read this comment before it appears."}
    log = select(DecisionRecord.reason).where(DecisionRecord.comment_id == comment_id)
    chosen = session.execute(
        log.order_by(DecisionRecord.version.desc(), DecisionRecord.id.desc()).limit(1)
    ).scalar()
    return {
        "reason": _REASONS.get(chosen or "", "This comment does not meet the rules of this site.")
    }


def _wrong_email(session: Session, comment_id: str) -> Why | None:
    """Where the email's domain takes no mail the commenter can correct it, so that is said, with
    the field.
    """
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
    return None
