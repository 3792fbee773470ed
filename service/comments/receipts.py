"""The commenter's private receipt: with it, they can follow their comment, edit and delete it."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from typing import Annotated, Any, NamedTuple, NotRequired

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import is_id
from models.judgement.evidence import RESERVED_NAME, StoredEvidence
from models.locales.words import read_words
from models.records import Comment, DecisionRecord, Edit, Screening, Site, Thread
from models.records.edit import APPROVED, REJECTED, REPLACED, WAITING
from models.settling.actor import AUTHOR
from models.settling.editing import EDITING, WhyNot, editable_until
from models.store.database import now, reading
from models.store.receipts import SIGNATURE_BYTES, receipt_of
from models.text.stamps import utc_stamp
from service.http.api_types import Id, OneOf, Time
from service.readers.appeals import ShownAppeal, ShownHold, ShownStatement, Told, told_about

__all__ = ["SIGNATURE_BYTES", "find_receipt", "receipt_of"]
_OF_A_MODERATOR = ("spam", "abuse", "off_topic")  # reasons with a sentence of their own


class OwnEdit(TypedDict):
    """The author's last edit of a public comment. While it waits, readers see the earlier text."""

    status: Annotated[str, OneOf((WAITING, APPROVED, REJECTED))]
    reason: Annotated[str | None, Field(examples=["Your change was off topic."])]
    body: Annotated[str, Field(examples=["The ferry was late *twice*."])]
    at: Time


class ReceiptStatus(TypedDict):
    """The status of a comment, and its text. `field` and `suggestion` are present if its author can
    correct it. `editable_until` is null if its author cannot edit it any more. `statement` says why
    it was rejected, unless as spam, and `appeal` what became of the author's appeal. `hidden` says
    why a comment that was published waits for a moderator now.
    """

    id: Id
    status: Annotated[str, OneOf(("pending", "approved", "flagged", "rejected"))]
    reason: Annotated[str | None, Field(examples=["Your comment was deleted."])]
    at: Time
    body: Annotated[str, Field(examples=["The ferry was late *again*."])]
    editable_until: Time | None
    edited_at: Time | None
    edit: OwnEdit | None
    field: NotRequired[Annotated[str, Field(examples=["email"])]]
    suggestion: NotRequired[Annotated[str | None, Field(examples=["gmail.com"])]]
    statement: ShownStatement | None
    appeal: ShownAppeal | None
    hidden: ShownHold | None


class Correction(TypedDict):
    """What an author can correct, and why: an email address that is impossible, with the domain
    that the author may have meant, or a name that is another person's.
    """

    reason: str
    field: str
    suggestion: str | None


class Receipt(NamedTuple):
    """`because` is the name of the reason's sentence in the `pages` of a locale file, and
    `because_of_edit` that of a rejected edit's in `own`. `why_not` says why the comment cannot be
    edited.
    """

    site: str
    thread: str
    answer: ReceiptStatus
    because: str | None
    because_of_edit: str | None = None
    why_not: WhyNot | None = None

    @property
    def comment_id(self) -> str:
        return self.answer["id"]


def find_receipt(receipt: str) -> Receipt | None:
    """Return the outcome of the comment, and where it belongs. None if the receipt is not one of
    ours.
    """
    comment_id = comment_of(receipt)
    if comment_id is None:
        return None
    with reading() as session:
        return read_receipt(session, comment_id)


def comment_of(receipt: str) -> str | None:
    """Return the id of the comment that the receipt is for. None if we did not sign it."""
    comment_id, _, _ = receipt.partition(".")
    if not is_id(comment_id):
        return None
    is_ours = hmac.compare_digest(receipt_of(comment_id).encode(), receipt.encode())
    return comment_id if is_ours else None


def read_receipt(session: Session, comment_id: str) -> Receipt | None:
    return read_receipts(session, [comment_id]).get(comment_id)


def read_receipts(session: Session, comment_ids: Collection[str]) -> dict[str, Receipt]:
    """Return the receipts of those of the comments that exist, with few queries for all of them."""
    wanted = select(
        *EDITING,
        Comment.id,
        Comment.settled_at,
        Comment.body,
        Comment.edited_at,
        Site.key.label("site"),
        Thread.key.label("thread"),
    )
    wanted = wanted.join(Site, Site.id == Comment.site_id).join(
        Thread, Thread.id == Comment.thread_id
    )
    rows = session.execute(wanted.where(Comment.id.in_(comment_ids))).all()
    told = told_about(session, {row.id: row.status for row in rows})
    rejected = [row.id for row in rows if row.status == "rejected"]
    reasons = _last_reasons(session, rejected)
    held = [row.id for row in rows if row.status == "flagged"]
    corrections = _corrections(session, [*rejected, *held])
    return {
        row.id: _receipt(
            row,
            told[row.id],
            _because(row.status, reasons.get(row.id)),
            corrections.get(row.id),
            _last_edit(session, row),
        )
        for row in rows
    }


def _receipt(
    row: Any, told: Told, because: str | None, correction: Correction | None, edit: Edit | None
) -> Receipt:
    because_of_edit = _sentence(edit.reason) if edit and edit.status == REJECTED else None
    until = editable_until(row, now())
    answer: ReceiptStatus = {
        "id": row.id,
        "status": "rejected" if row.status == "deleted" else row.status,
        "reason": read_words("en").pages[because] if because else None,
        "at": utc_stamp(row.settled_at or row.at),
        "statement": told.statement,
        "appeal": told.appeal,
        "hidden": told.hidden,
        "body": row.body,
        "editable_until": None if isinstance(until, WhyNot) else utc_stamp(until),
        "edited_at": utc_stamp(row.edited_at),
        "edit": _edit_shape(edit, because_of_edit) if edit else None,
    }
    if correction:
        answer = {**answer, **correction}
    why_not = until if isinstance(until, WhyNot) else None
    return Receipt(row.site, row.thread, answer, because, because_of_edit, why_not)


def _last_edit(session: Session, row: Any) -> Edit | None:
    """Return the author's last edit of a public comment, unless it was made before that."""
    if row.status != "approved" or not row.edits:
        return None
    theirs = select(Edit).where(Edit.comment_id == row.id, Edit.by == str(AUTHOR))
    edit = session.scalar(theirs.order_by(Edit.id.desc()).limit(1))
    if edit is None or edit.status == REPLACED:
        return None
    was_public = edit.status != APPROVED or edit.decision_id is not None
    return edit if was_public else None


def _edit_shape(edit: Edit, because: str | None) -> OwnEdit:
    return {
        "status": edit.status,
        "reason": read_words("en").own[because] if because else None,
        "body": edit.body,
        "at": utc_stamp(edit.settled_at or edit.at),
    }


def _because(status: str, reason: str | None) -> str | None:
    """Return a useful reason that does not name the word or link, because that would only help the
    next spammer.
    """
    if status == "deleted":
        return "because_deleted"
    if status == "flagged":
        return "flagged"
    return _sentence(reason) if status == "rejected" else None


def _last_reasons(session: Session, comment_ids: Collection[str]) -> dict[str, str | None]:
    """Return the reason of each comment's last decision, other than those about edits."""
    log = select(DecisionRecord.comment_id, DecisionRecord.reason).where(
        DecisionRecord.comment_id.in_(comment_ids), DecisionRecord.edit_id.is_(None)
    )
    if not comment_ids:
        return {}
    in_order = log.order_by(DecisionRecord.version, DecisionRecord.id)
    return dict(session.execute(in_order).all())


def _sentence(reason: str | None) -> str:
    return f"because_{reason if reason in _OF_A_MODERATOR else 'rules'}"


def _corrections(session: Session, comment_ids: Collection[str]) -> dict[str, Correction]:
    """Return what the last screening of each comment found that its author can correct."""
    found = select(Screening.comment_id, Screening.evidence).where(
        Screening.comment_id.in_(comment_ids)
    )
    if not comment_ids:
        return {}
    latest = dict(session.execute(found.order_by(Screening.number)).all())
    corrections = {id_: _correction(evidence) for id_, evidence in latest.items()}
    return {id_: each for id_, each in corrections.items() if each}


def _correction(evidence: Sequence[StoredEvidence]) -> Correction | None:
    """Return the finding that the commenter can correct."""
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
