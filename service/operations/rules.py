"""The doctor's rules about rows: each is a statement that selects violations, and a repair if one
is possible.

One statement sees one moment, so a running service never looks broken in the middle of an action.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Over,
    SQLColumnExpression,
    String,
    Subquery,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import Function

from models.records import (
    Appeal,
    Attempt,
    Comment,
    DecisionRecord,
    Delivery,
    Edit,
    Endpoint,
    Event,
    Fingerprint,
    Follow,
    LinkedHost,
    Mail,
    Notice,
    Report,
    Review,
    Screening,
    Site,
    Statement,
    Thread,
)
from models.records.edit import EDITED, REJECTED, WAITING
from models.settling.actor import POLICY
from models.settling.appeals import APPEALED
from models.settling.erasing import erase_rest
from models.store.database import now
from service.operations.violation import MEND, NOTHING

T = TypeVar("T")

LONG = timedelta(minutes=10)  # by then the sweep has rung, rung again, and done the work itself
Mend = Callable[[Session, Sequence[str]], None]


@dataclass(frozen=True)
class Rule:
    """`broken` selects rows whose first column is the id of the violation; `words` may use the
    other columns.
    """

    name: str
    subject: str
    broken: Callable[[datetime], Executable]
    words: str
    command: str = MEND
    mend: Mend | None = None


def _id(column: SQLColumnExpression[object]) -> ColumnElement[str]:
    """Select the id as text: making a million UUIDs would take longer than finding them."""
    return cast(column, String(36))


# Reviews


def _flagged_without_review(at: datetime) -> Executable:
    has_one = exists().where(Review.comment_id == Comment.id, Review.closed_at.is_(None))
    return select(_id(Comment.id)).where(Comment.status == "flagged", ~has_one)


def _open_reviews(session: Session, ids: Sequence[str]) -> None:
    for row in session.execute(
        select(Comment.id, Comment.site_id).where(Comment.id.in_(ids))
    ).all():
        session.add(Review(site_id=row.site_id, comment_id=row.id, cause="flagged"))


def _twice_open(at: datetime) -> Executable:
    is_open = select(_id(func.min(_id(Review.id))), Review.cause).where(Review.closed_at.is_(None))
    return is_open.group_by(Review.comment_id, Review.cause).having(func.count() > 1)


def _leave_one(session: Session, ids: Sequence[str]) -> None:
    """Keep the oldest of them."""
    for kept in session.scalars(select(Review).where(Review.id.in_(ids))).all():
        same = (
            (Review.comment_id == kept.comment_id)
            & (Review.cause == kept.cause)
            & Review.closed_at.is_(None)
        )
        session.execute(delete(Review).where(same, Review.id != kept.id))


def _report_without_review(at: datetime) -> Executable:
    waits = select(_id(Report.comment_id)).where(Report.outcome.is_(None))
    return waits.where(~_has_open_review(Report.comment_id, "reported")).distinct()


def _notice_without_review(at: datetime) -> Executable:
    waits = select(_id(Notice.comment_id)).where(Notice.closed_at.is_(None))
    return waits.where(~_has_open_review(Notice.comment_id, "notice")).distinct()


def _has_open_review(comment: SQLColumnExpression[str], cause: str) -> ColumnElement[bool]:
    same = (Review.comment_id == comment) & (Review.cause == cause)
    return exists().where(same, Review.closed_at.is_(None))


def _opening(cause: str) -> Mend:
    """Return a repair that opens a review of this cause."""

    def open_reviews(session: Session, ids: Sequence[str]) -> None:
        wanted = select(Comment.id, Comment.site_id).where(Comment.id.in_(ids))
        for row in session.execute(wanted).all():
            session.add(Review(site_id=row.site_id, comment_id=row.id, cause=cause, due_at=now()))

    return open_reviews


def _closed_by_nobody(at: datetime) -> Executable:
    by_its_own = exists().where(
        DecisionRecord.id == Review.closed_by, DecisionRecord.comment_id == Review.comment_id
    )
    # A notice can be dismissed without a decision on its comment.
    wrong = Review.closed_at.is_not(None) & (Review.cause != "notice")
    return select(_id(Review.id), Review.cause).where(wrong, ~by_its_own)


def _open_though_settled(at: datetime) -> Executable:
    wrong = select(_id(Review.id), Comment.status).join(Comment, Comment.id == Review.comment_id)
    return wrong.where(
        Review.closed_at.is_(None), Review.cause == "flagged", Comment.status != "flagged"
    )


def _close_by_last(session: Session, ids: Sequence[str]) -> None:
    """Close it by the decision that set the comment's status; open it again if a human still has to
    look.
    """
    for review in session.scalars(select(Review).where(Review.id.in_(ids))).all():
        comment = session.get_one(Comment, review.comment_id)
        log = select(DecisionRecord.id).where(DecisionRecord.comment_id == comment.id)
        last = log.order_by(DecisionRecord.version.desc(), DecisionRecord.id.desc()).limit(1)
        same = (
            (Review.comment_id == comment.id)
            & (Review.cause == review.cause)
            & Review.closed_at.is_(None)
        )
        if comment.status == "flagged" and not session.scalar(select(exists().where(same))):
            review.closed_at = review.closed_by = None
        else:
            review.closed_at, review.closed_by = review.closed_at or now(), session.scalar(last)


def _appeal_without_review(at: datetime) -> Executable:
    is_asked = exists().where(
        Review.comment_id == Appeal.comment_id,
        Review.cause == APPEALED,
        Review.closed_at.is_(None),
    )
    return select(_id(Appeal.id), Appeal.due_at).where(Appeal.status == "open", ~is_asked)


def _ask_for_an_answer(session: Session, ids: Sequence[str]) -> None:
    for appeal in session.scalars(select(Appeal).where(Appeal.id.in_(ids))).all():
        review = Review(
            site_id=appeal.site_id,
            comment_id=appeal.comment_id,
            cause=APPEALED,
            opened_at=appeal.opened_at,
            due_at=appeal.due_at,
        )
        session.add(review)


# Decisions and events


def _decisions() -> Subquery:
    """Return each comment's log in order. Each row also has the previous entry's state and version,
    and the next entry's version.
    """
    changes = DecisionRecord.was != DecisionRecord.becomes
    order = (DecisionRecord.version, case((changes, 0), else_=1), _id(DecisionRecord.id))

    def over(of: Function[T]) -> Over[T]:
        return of.over(partition_by=DecisionRecord.comment_id, order_by=order)

    return select(
        DecisionRecord.comment_id,
        DecisionRecord.was,
        DecisionRecord.becomes,
        DecisionRecord.version,
        DecisionRecord.edit_id,
        over(func.lag(DecisionRecord.becomes, 1, "pending")).label("before"),
        over(func.lag(DecisionRecord.version, 1, 1)).label("version_before"),
        over(func.lead(DecisionRecord.version)).label("following"),
    ).subquery()


def _illegal_log(at: datetime) -> Executable:
    log = _decisions()
    is_step = or_(log.c.was != log.c.becomes, log.c.edit_id.is_not(None))
    expected = log.c.version_before + case((is_step, 1), else_=0)
    edited = _edited(log.c.comment_id, after=log.c.version_before, until=log.c.version)
    is_gap = and_(log.c.version != expected, log.c.version != expected + edited)
    wrong = or_(log.c.was != log.c.before, is_gap)
    return select(_id(log.c.comment_id), log.c.version, log.c.before, log.c.was).where(wrong)


def _edited(
    comment_id: ColumnElement[str],
    *,
    after: SQLColumnExpression[int],
    until: SQLColumnExpression[int],
) -> ColumnElement[int]:
    """Count the versions that a comment got from edits without a decision. Compare with it last:
    few comments need it.
    """
    edits = select(func.count()).where(Edit.comment_id == comment_id)
    return edits.where(Edit.version > after, Edit.version <= until).scalar_subquery()


def _not_as_decided(at: datetime) -> Executable:
    log = _decisions()
    edited = _edited(log.c.comment_id, after=log.c.version, until=Comment.version)
    is_gap = and_(log.c.version != Comment.version, log.c.version + edited != Comment.version)
    wrong = or_(log.c.becomes != Comment.status, is_gap)
    told = select(
        _id(Comment.id),
        Comment.status,
        Comment.version,
        log.c.becomes,
        log.c.version.label("decided"),
    )
    return told.join(Comment, Comment.id == log.c.comment_id).where(
        log.c.following.is_(None), wrong
    )


def _settled_by_nobody(at: datetime) -> Executable:
    decided = exists().where(DecisionRecord.comment_id == Comment.id)
    edited = exists().where(Edit.comment_id == Comment.id, Edit.version == Comment.version)
    changed = or_(Comment.status != "pending", and_(Comment.version != 1, ~edited))
    return select(_id(Comment.id), Comment.status).where(changed, ~decided)


def _decided_too_often(at: datetime) -> Executable:
    """Reports can make the policy hold a comment without a screening."""
    is_reported = exists().where(Report.comment_id == DecisionRecord.comment_id)
    by_reports = (DecisionRecord.was == "approved") & (DecisionRecord.becomes == "flagged")
    counted = select(DecisionRecord.comment_id, func.count().label("decided")).where(
        DecisionRecord.by == str(POLICY), ~(by_reports & is_reported)
    )
    often = counted.group_by(DecisionRecord.comment_id).subquery()
    told = select(_id(Comment.id), often.c.decided, Comment.screenings).join(
        often, often.c.comment_id == Comment.id
    )
    return told.where(often.c.decided > Comment.screenings)


_WITHOUT_STATUS = ("comment.edited", "comment.reported")  # these change no status


def _wrong_events(at: datetime) -> Executable:

    def over(of: Function[T]) -> Over[T]:
        return of.over(partition_by=Event.comment_id, order_by=Event.sequence)

    entries = select(
        Event.comment_id,
        Event.sequence,
        Event.type,
        Event.supersedes,
        over(func.lag(Event.sequence)).label("before"),
        over(func.lag(Event.id)).label("id_before"),
        over(func.lead(Event.sequence)).label("following"),
    ).where(Event.sequence > 0)  # without notices
    log = entries.subquery()
    is_last = log.c.following.is_(None)
    first = (
        log.c.before.is_(None) & (log.c.sequence != 1) & (Site.forgotten == 0)
    )  # the log is kept for a limited time
    wrong = or_(
        first,
        log.c.sequence != log.c.before + 1,
        log.c.before.is_not(None) & log.c.supersedes.is_distinct_from(log.c.id_before),
        and_(
            is_last,
            or_(
                log.c.type.not_in((literal("comment.") + Comment.status, *_WITHOUT_STATUS)),
                log.c.sequence != Comment.event_sequence,
            ),
        ),
    )
    told = select(_id(Comment.id), log.c.sequence, log.c.type, Comment.status)
    told = told.join(Comment, Comment.id == log.c.comment_id).join(Site, Site.id == Comment.site_id)
    return told.where(wrong)


def _without_events(at: datetime) -> Executable:
    told = exists().where(Event.comment_id == Comment.id)
    settled = or_(Comment.status != "pending", Comment.event_sequence != 0)
    silent = select(_id(Comment.id), Comment.status).join(Site, Site.id == Comment.site_id)
    return silent.where(settled, Site.forgotten == 0, ~told)  # the log is kept for a limited time


def _ahead_of_its_counter(at: datetime) -> Executable:
    last = select(func.max(Event.position)).where(Event.site_id == Site.id).scalar_subquery()
    return select(Site.key, Site.event_sequence, last.label("position")).where(
        last > Site.event_sequence
    )


# Edits


def _edit_forgotten(at: datetime) -> Executable:
    """An edit waits, but its comment does not name it, is not public, or nobody will look at it."""
    is_asked = exists().where(
        Review.comment_id == Comment.id, Review.cause == EDITED, Review.closed_at.is_(None)
    )
    is_looked_at = or_(Comment.screen_due.is_not(None), is_asked)
    right = and_(Comment.edit_id == Edit.id, Comment.status == "approved", is_looked_at)
    told = select(_id(Edit.id), Comment.status).join(Comment, Comment.id == Edit.comment_id)
    return told.where(Edit.status == WAITING, func.coalesce(right, false()).is_(False))


def _owe_edits(session: Session, ids: Sequence[str]) -> None:
    """Screen the edit of a public comment again, and drop any other."""
    for edit in session.scalars(select(Edit).where(Edit.id.in_(ids), Edit.status == WAITING)).all():
        comment = session.get_one(Comment, edit.comment_id, with_for_update=True)
        if comment.status == "approved" and comment.edit_id in {None, edit.id}:
            comment.edit_id, comment.screen_due, edit.held_at = edit.id, now(), None
        else:
            edit.status, edit.settled_at, edit.settled_by = REJECTED, now(), str(POLICY)


def _no_such_edit(at: datetime) -> Executable:
    waits = exists().where(
        Edit.id == Comment.edit_id, Edit.comment_id == Comment.id, Edit.status == WAITING
    )
    return select(_id(Comment.id)).where(Comment.edit_id.is_not(None), ~waits)


def _forget_edits(session: Session, ids: Sequence[str]) -> None:
    session.execute(update(Comment).where(Comment.id.in_(ids)).values(edit_id=None))


def _edit_review_left(at: datetime) -> Executable:
    left = select(_id(Review.id), Review.cause).join(Comment, Comment.id == Review.comment_id)
    return left.where(Review.cause == EDITED, Review.closed_at.is_(None), Comment.edit_id.is_(None))


# Due work


def _never_screened(at: datetime) -> Executable:
    return select(_id(Comment.id)).where(Comment.status == "pending", Comment.screen_due.is_(None))


def _owe_screening(session: Session, ids: Sequence[str]) -> None:
    owed = update(Comment).where(
        Comment.id.in_(ids), Comment.status == "pending", Comment.screen_due.is_(None)
    )
    session.execute(owed.values(screen_due=now()))


def _waits_for_screening(at: datetime) -> Executable:
    """Every sweep that rings postpones the due time, so a comment that was never screened is judged
    by its age instead.
    """
    long_ago = at - LONG
    forgotten = and_(Comment.screenings == 0, Comment.at < long_ago)
    told = select(_id(Comment.id), Comment.status, Comment.at)
    return told.where(
        Comment.screen_due.is_not(None), or_(Comment.screen_due < long_ago, forgotten)
    )


def _waits_for_publishing(at: datetime) -> Executable:
    is_edit = Comment.edited_at > Comment.settled_at
    settled = case((is_edit, Comment.edited_at), else_=Comment.settled_at)
    changed = select(func.coalesce(Comment.erased_at, settled)).where(
        Comment.thread_id == Thread.id
    )
    first = (
        changed.where(Comment.revision > Thread.published_revision)
        .order_by(Comment.revision)
        .limit(1)
    )
    since = func.coalesce(first.scalar_subquery(), Thread.publish_due)
    return select(Thread.id, since.label("since")).where(
        Thread.publish_due.is_not(None), since < at - LONG
    )


def _waits_for_delivery(at: datetime) -> Executable:
    """Each attempt moves the due time, so one long past was never tried."""
    told = select(_id(Delivery.id), Delivery.type, Delivery.due).join(
        Endpoint, Endpoint.id == Delivery.endpoint_id
    )
    return told.where(Delivery.due < at - LONG, Endpoint.is_enabled)


def _waits_for_a_page_in_vain(at: datetime) -> Executable:
    told = select(_id(Delivery.id), Delivery.type).join(Thread, Thread.id == Delivery.thread_id)
    shown = (Thread.published_revision >= Delivery.revision) & (Delivery.created_at < at - LONG)
    return told.where(Delivery.state == "waiting", shown)


def _owed_without_a_time(at: datetime) -> Executable:
    told = select(_id(Delivery.id), Delivery.state)
    return told.where((Delivery.state == "owed") != Delivery.due.is_not(None))


def _owe_delivery(session: Session, ids: Sequence[str]) -> None:
    wrong = update(Delivery).where(Delivery.id.in_(ids))
    session.execute(wrong.where(Delivery.state == "owed", Delivery.due.is_(None)).values(due=now()))
    session.execute(wrong.where(Delivery.state != "owed").values(due=None, lease=None))


def _mail_due_wrongly(at: datetime) -> Executable:
    has_due = Mail.due.is_not(None)
    wrong = or_((Mail.state == "owed") & ~has_due, (Mail.state != "owed") & has_due)
    return select(_id(Mail.id), Mail.state).where(wrong)


def _mend_mail_due(session: Session, ids: Sequence[str]) -> None:
    wrong = update(Mail).where(Mail.id.in_(ids))
    session.execute(wrong.where(Mail.state == "owed", Mail.due.is_(None)).values(due=now()))
    session.execute(wrong.where(Mail.state != "owed").values(due=None, lease=None))


def _mail_remains(at: datetime) -> Executable:
    """Select mails that have ended and still have an address or a text."""
    kept = Mail.address.is_not(None) | (cast(Mail.data, Text) != "{}")
    return select(_id(Mail.id), Mail.state).where(Mail.state != "owed", kept)


def _forget_mails(session: Session, ids: Sequence[str]) -> None:
    ended = update(Mail).where(Mail.id.in_(ids), Mail.state != "owed")
    session.execute(ended.values(address=None, data={}))


def _miscounted_followers(at: datetime) -> Executable:
    counted = (
        select(func.count(Follow.reader_id)).where(Follow.thread_id == Thread.id).scalar_subquery()
    )
    return select(Thread.id, Thread.followers, counted.label("counted")).where(
        Thread.followers != counted
    )


def _count_followers(session: Session, ids: Sequence[str]) -> None:
    counted = (
        select(func.count(Follow.reader_id)).where(Follow.thread_id == Thread.id).scalar_subquery()
    )
    session.execute(update(Thread).where(Thread.id.in_(map(int, ids))).values(followers=counted))


def _not_owed(at: datetime) -> Executable:
    lags = select(Thread.id, Thread.revision, Thread.published_revision)
    return lags.where(Thread.revision != Thread.published_revision, Thread.publish_due.is_(None))


def _ahead_of_itself(at: datetime) -> Executable:
    ahead = select(Thread.id, Thread.revision, Thread.published_revision)
    return ahead.where(Thread.published_revision > Thread.revision, Thread.publish_due.is_not(None))


def _lease_left(at: datetime) -> Executable:
    return select(Thread.id, Thread.lease_until).where(
        Thread.lease.is_not(None), Thread.lease_until < at - LONG
    )


def _end_leases(session: Session, ids: Sequence[str]) -> None:
    left = update(Thread).where(Thread.id.in_(map(int, ids)), Thread.lease_until < now())
    session.execute(left.values(lease=None, lease_until=None))


# Contents


def _approved_without_place(at: datetime) -> Executable:
    return select(_id(Comment.id)).where(Comment.status == "approved", Comment.place.is_(None))


def _give_places(session: Session, ids: Sequence[str]) -> None:
    """Use the first free place among its siblings: the one it lost, or a new one at the end."""
    session.execute(
        select(Comment.id).where(Comment.id.in_(ids)).order_by(Comment.id).with_for_update()
    )
    for comment in session.scalars(
        select(Comment).where(Comment.id.in_(ids)).order_by(Comment.id)
    ).all():
        is_top = comment.top_id == comment.id
        thread = session.get_one(Thread, comment.thread_id, with_for_update=True)
        among = thread if is_top else session.get_one(Comment, comment.top_id, with_for_update=True)
        siblings = Comment.thread_id == thread.id if is_top else Comment.top_id == comment.top_id
        siblings &= Comment.parent_id.is_(None) if is_top else Comment.parent_id.is_not(None)
        taken = set(
            session.scalars(select(Comment.place).where(siblings, Comment.place.is_not(None)))
        )
        comment.place = next(place for place in count() if place not in taken)
        among.places = max(among.places, comment.place + 1)
        thread.published_revision, thread.publish_due = 0, now()


def _not_erased(at: datetime) -> Executable:
    quotes = (Attempt.answer != "") & (Delivery.type != "comment.deleted")
    kept = or_(
        *(
            column != ""
            for column in (
                Comment.name,
                Comment.body,
                Comment.email_index,
                Comment.address,
                Comment.avatar,
            )
        ),
        *(
            column.is_not(None)
            for column in (Comment.email, Comment.website, Comment.html, Comment.said_once)
        ),
        *(cast(column, Text) != "{}" for column in (Comment.form, Comment.page)),
        exists().where(Screening.comment_id == Comment.id, cast(Screening.evidence, Text) != "[]"),
        exists().where(DecisionRecord.comment_id == Comment.id, DecisionRecord.note != ""),
        exists().where(
            DecisionRecord.comment_id == Comment.id,
            cast(DecisionRecord.reasons, Text).not_in(_BLANK),
        ),
        exists().where(DecisionRecord.comment_id == Comment.id, DecisionRecord.answer != ""),
        exists().where(Statement.comment_id == Comment.id, Statement.answer != ""),
        exists().where(
            Appeal.comment_id == Comment.id, or_(Appeal.text != "", Appeal.answer != "")
        ),
        exists().where(Report.comment_id == Comment.id, Report.text != ""),
        exists().where(Notice.comment_id == Comment.id, Notice.explanation != ""),
        exists().where(
            Edit.comment_id == Comment.id,
            or_(Edit.body != "", Edit.before != "", Edit.note != "", Edit.html.is_not(None)),
        ),
        exists().where(Fingerprint.comment_id == Comment.id),
        exists().where(LinkedHost.comment_id == Comment.id),
        exists().where(
            Event.comment_id == Comment.id, Event.data["comment"]["html"].as_string() != ""
        ),
        exists().where(
            Delivery.comment_id == Comment.id, Attempt.delivery_id == Delivery.id, quotes
        ),
    )
    return select(_id(Comment.id)).where(Comment.erased_at.is_not(None), kept)


def _erase_rest(session: Session, ids: Sequence[str]) -> None:
    for id_ in ids:
        erase_rest(session, id_)


_BLANK = ("[]", '["erased"]')  # the erasing decision identifies it


def _half_deleted(at: datetime) -> Executable:
    """One field says erased and the other does not."""
    told = select(_id(Comment.id), Comment.status)
    return told.where((Comment.status == "deleted") != Comment.erased_at.is_not(None))


RULES = (
    Rule(
        "mail due",
        "mail",
        _mail_due_wrongly,
        "{state}, but it is due or not due against that",
        MEND,
        _mend_mail_due,
    ),
    Rule(
        "mail ended",
        "mail",
        _mail_remains,
        "{state}, but still with an address or a text",
        MEND,
        _forget_mails,
    ),
    Rule(
        "followers",
        "thread",
        _miscounted_followers,
        "{followers} followers are counted, but {counted} exist",
        MEND,
        _count_followers,
    ),
    Rule(
        "flagged without review",
        "comment",
        _flagged_without_review,
        "flagged, but without an open review",
        MEND,
        _open_reviews,
    ),
    Rule(
        "report without review",
        "comment",
        _report_without_review,
        "reported, but no moderator is asked to look",
        MEND,
        _opening("reported"),
    ),
    Rule(
        "notice without review",
        "comment",
        _notice_without_review,
        "has an open notice, but no moderator is asked to look",
        MEND,
        _opening("notice"),
    ),
    Rule(
        "one review a cause",
        "review",
        _twice_open,
        "more than one review is open for “{cause}”",
        MEND,
        _leave_one,
    ),
    Rule(
        "closed by a decision",
        "review",
        _closed_by_nobody,
        "closed, but not by a decision",
        MEND,
        _close_by_last,
    ),
    Rule(
        "open though settled",
        "review",
        _open_though_settled,
        "open, but its comment is {status}",
        MEND,
        _close_by_last,
    ),
    Rule(
        "appeal in review",
        "appeal",
        _appeal_without_review,
        "open and due {due_at:%Y-%m-%d %H:%M}, but no review asks a moderator to decide it",
        MEND,
        _ask_for_an_answer,
    ),
    Rule(
        "legal log",
        "comment",
        _illegal_log,
        "the decision at version {version} starts from {was}, but the log was at {before}",
        NOTHING,
    ),
    Rule(
        "as decided",
        "comment",
        _not_as_decided,
        (
            "{status} at version {version}, but the last decision made it {becomes} at version "
            "{decided}"
        ),
        NOTHING,
    ),
    Rule(
        "settled by nobody",
        "comment",
        _settled_by_nobody,
        "{status}, but no decision says so",
        NOTHING,
    ),
    Rule(
        "one automatic decision",
        "comment",
        _decided_too_often,
        "{decided} automatic decisions from {screenings} screenings",
        NOTHING,
    ),
    Rule(
        "events in order",
        "comment",
        _wrong_events,
        (
            "event {sequence} ({type}) does not follow the previous event, or does not match "
            "the status {status}"
        ),
        NOTHING,
    ),
    Rule("without events", "comment", _without_events, "{status}, but no event says so", NOTHING),
    Rule(
        "edits are looked at",
        "edit",
        _edit_forgotten,
        "waits, but its comment is {status}, or neither a screening nor a review is due",
        MEND,
        _owe_edits,
    ),
    Rule(
        "edits exist",
        "comment",
        _no_such_edit,
        "names an edit that does not wait",
        MEND,
        _forget_edits,
    ),
    Rule(
        "edits in review",
        "review",
        _edit_review_left,
        "open for “{cause}”, but no edit waits",
        MEND,
        _close_by_last,
    ),
    Rule(
        "site counter",
        "site",
        _ahead_of_its_counter,
        "an event is at {position}, but the counter is at {event_sequence}",
        NOTHING,
    ),
    Rule(
        "never screened",
        "comment",
        _never_screened,
        "pending, but no screening is due",
        MEND,
        _owe_screening,
    ),
    Rule(
        "screened in time",
        "comment",
        _waits_for_screening,
        "{status}, accepted {at:%Y-%m-%d %H:%M}, and its screening is long overdue",
        "greenroom worker",
    ),
    Rule(
        "published in time",
        "thread",
        _waits_for_publishing,
        "changed at {since:%Y-%m-%d %H:%M}, but readers do not see the change yet",
        "greenroom publish {id}",
    ),
    Rule(
        "owed",
        "thread",
        _not_owed,
        "at revision {revision}, but published at {published_revision}, and no publication is due",
        "greenroom publish {id}",
    ),
    Rule(
        "delivered in time",
        "delivery",
        _waits_for_delivery,
        "{type}, due {due:%Y-%m-%d %H:%M}, but no worker has tried it",
        "greenroom worker",
    ),
    Rule(
        "told once shown",
        "delivery",
        _waits_for_a_page_in_vain,
        "{type} waits for a page that already shows it",
        "greenroom worker",
    ),
    Rule(
        "due while owed",
        "delivery",
        _owed_without_a_time,
        "{state}, but its due time does not match",
        MEND,
        _owe_delivery,
    ),
    Rule(
        "not ahead",
        "thread",
        _ahead_of_itself,
        "published at revision {published_revision}, but its own revision is {revision}",
        "greenroom publish {id}",
    ),
    Rule(
        "leases end",
        "thread",
        _lease_left,
        "leased until {lease_until:%Y-%m-%d %H:%M}, but never released",
        MEND,
        _end_leases,
    ),
    Rule(
        "a place each",
        "comment",
        _approved_without_place,
        "approved, but it has no place on any page",
        MEND,
        _give_places,
    ),
    Rule(
        "erased is erased",
        "comment",
        _not_erased,
        "erased, but some of its content is still stored",
        MEND,
        _erase_rest,
    ),
    Rule(
        "erased and deleted",
        "comment",
        _half_deleted,
        "{status}, but its erasure does not match",
        NOTHING,
    ),
)
