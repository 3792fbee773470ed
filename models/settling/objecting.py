"""Readers object to a comment by a report, which may hold it, or by a notice of illegal content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.records import Comment, Notice, Report, Review
from models.records.notice import DUE_AFTER, URGENT, URGENT_AFTER
from models.settling.actor import Actor, Kind
from models.settling.changes import Change, Settled
from models.settling.drafts import CommentDraft
from models.settling.notice_mails import owe_outcome, owe_receipt
from models.settling.reports import (
    CLOSED,
    OPENED,
    accuracy_of,
    notice_state,
    open_reports,
    weight_of,
)
from models.settling.settling import Settling

REPORTED, NOTICE = "reported", "notice"
TOLD_EACH = 16  # open reports; with more, only each doubling is an event
STAFF = "staff"


class Filing(NamedTuple):
    """A report to file. `reporter` is as in `Report`; `reader_id` is set if it is an identity."""

    site_id: int
    comment_id: str
    reporter: str
    address: str
    reason: str
    text: str = ""
    reader_id: str | None = None


class Filed(NamedTuple):
    """The id of the report or notice, and what changed; None if nothing did."""

    id: str
    settled: Settled | None


def report(session: Session, filing: Filing, *, to_hold: float) -> Filed | None:
    """File the report, and hold the comment if its open reports weigh `to_hold` together. Return
    None if the comment is not published.

    The comment is locked first, so of many reports at once only one holds it. A repeated report
    returns the first one and changes nothing.
    """
    work = Settling(session, [filing.comment_id])
    comment = work.drafts.comments.get(filing.comment_id)
    if comment is None or comment.site_id != filing.site_id:
        return None
    if earlier := _earlier(session, filing):
        return Filed(earlier, None)
    if comment.status != "approved":
        return None
    report_id = _file(session, filing)
    work.drafts.change(comment)
    work.open_review(comment, REPORTED)
    settled = _count(session, work, comment, to_hold=to_hold)
    work.write()
    return Filed(report_id, work.with_deliveries(settled))


def _earlier(session: Session, filing: Filing) -> str | None:
    """Return the reporter's earlier report of the comment. An address counts once, unless two
    readers there have proven who they are.
    """
    same = Report.reporter == filing.reporter
    same_address = Report.address == filing.address
    if filing.reader_id is not None:
        same_address &= Report.reader_id.is_(None)
    earlier = select(Report.id).where(
        Report.comment_id == filing.comment_id, or_(same, same_address)
    )
    return session.scalar(earlier.order_by(Report.id).limit(1))


def _file(session: Session, filing: Filing) -> str:
    accuracy = accuracy_of(session, filing.site_id, filing.reporter)
    row = Report(
        id=new_id(),
        weight=weight_of(accuracy["upheld"], accuracy["dismissed"]),
        is_new=_is_new(session, filing),
        **filing._asdict(),
    )
    session.add(row)
    session.flush()
    return row.id


def _is_new(session: Session, filing: Filing) -> bool:
    """Whether the reporter has neither reported nor commented on the site before."""
    reported = exists().where(Report.site_id == filing.site_id, Report.reporter == filing.reporter)
    commented = exists().where(Comment.site_id == filing.site_id, Comment.address == filing.address)
    return not session.scalar(select(or_(reported, commented)))


def _count(session: Session, work: Settling, comment: CommentDraft, *, to_hold: float) -> Settled:
    """Tell other systems of the report, and hold the comment if its reports weigh enough."""
    counts = open_reports(session, comment.id)
    number = counts["count"]
    if number <= TOLD_EACH or number & (number - 1) == 0:
        work.events.add_news(comment, "comment.reported", {"reports": counts})
    if counts["weight"] < to_hold or _is_by_staff(session, comment):
        return work.settled(comment)
    hold = Change(comment.id, Verdict.FLAG, (in_words(counts["by_reason"]),))
    return work.apply(hold) or work.settled(comment)


def _is_by_staff(session: Session, comment: CommentDraft) -> bool:
    badges = session.scalar(select(Comment.badges).where(Comment.id == comment.id))
    return STAFF in (badges or ())


def in_words(by_reason: Mapping[str, int]) -> str:
    """Say who reported a comment, and why: "reported by 3 readers: threat (2), off topic (1)"."""
    number = sum(by_reason.values())
    reasons = sorted(by_reason, key=lambda reason: (-by_reason[reason], reason))
    each = ", ".join(f"{reason.replace('_', ' ')} ({by_reason[reason]})" for reason in reasons)
    return f"reported by {number} reader{'' if number == 1 else 's'}: {each}"


class NewNotice(NamedTuple):
    """A notice to open. `contact` is encrypted."""

    site_id: int
    comment_id: str
    category: str
    explanation: str
    contact: bytes | None
    language: str


def open_notice(session: Session, new: NewNotice) -> Filed | None:
    """Open the notice and ask a moderator to decide. Return None if the comment is not, and was not
    until a moderator looks at it, published.
    """
    work = Settling(session, [new.comment_id])
    comment = work.drafts.comments.get(new.comment_id)
    if comment is None or comment.site_id != new.site_id or not _is_in_public(comment):
        return None
    due = work.at + (URGENT_AFTER if new.category in URGENT else DUE_AFTER)
    notice = Notice(id=new_id(), opened_at=work.at, due_at=due, **new._asdict())
    session.add(notice)
    session.flush()
    owe_receipt(session, work.events.site_of(comment), notice)
    _due_at_least_by(session, work, comment, due - work.at)
    work.events.add_aside(comment, OPENED, {"notice": notice_state(notice)})
    work.write()
    return Filed(notice.id, work.with_deliveries(work.settled(comment)))


def _is_in_public(comment: CommentDraft) -> bool:
    """Whether readers see the comment, or saw it before it was held."""
    was_shown = comment.place is not None and comment.status == "flagged"
    return comment.status == "approved" or was_shown


def _due_at_least_by(
    session: Session, work: Settling, comment: CommentDraft, after: timedelta
) -> None:
    due = work.at + after
    waiting = update(Review).where(
        Review.comment_id == comment.id, Review.cause == NOTICE, Review.closed_at.is_(None)
    )
    session.execute(waiting.where(Review.due_at > due).values(due_at=due))
    work.open_review(comment, NOTICE, due_at=due)


def dismiss_notice(session: Session, notice_id: str, *, by: Actor, answer: str) -> Settled | None:
    """Close the notice without a decision on its comment. Return None if it is closed already."""
    comment_id = session.scalar(select(Notice.comment_id).where(Notice.id == notice_id))
    if comment_id is None:
        return None
    work = Settling(session, [comment_id])
    notice = session.get_one(Notice, notice_id, populate_existing=True)
    if notice.closed_at is not None:
        return None
    comment = work.drafts.comments[comment_id]
    notice.outcome, notice.closed_at, notice.answer = "dismissed", work.at, answer
    notice.is_automated = by.kind is Kind.KEY
    session.flush()
    owe_outcome(session, work.events.site_of(comment), notice)
    _close_review_after_last(session, work, comment_id)
    work.events.add_aside(comment, CLOSED, {"notice": notice_state(notice)})
    work.write()
    return work.with_deliveries(work.settled(comment))


def _close_review_after_last(session: Session, work: Settling, comment_id: str) -> None:
    other = exists().where(Notice.comment_id == comment_id, Notice.closed_at.is_(None))
    review = update(Review).where(
        Review.comment_id == comment_id,
        Review.cause == NOTICE,
        Review.closed_at.is_(None),
        ~other,
    )
    session.execute(review.values(closed_at=work.at))
