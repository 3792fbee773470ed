"""Send events to a webhook again, or for the first time, at a bearable rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Comment, Delivery, Endpoint, Event, Thread
from models.store.database import Base, begin, now, reading
from models.text.stamps import utc_stamp
from models.webhooks.owed import Happened, delivery_of, wants
from service.http.api_keys import Caller
from service.webhooks.endpoints import note_webhook, wanted_endpoint
from service.webhooks.shapes import Redelivery, SentAgain
from worker.bell import DELIVER, ring_soon

MOST_REDELIVERED = 10_000  # events per call; the answer says where to continue
AT_ONCE = 500  # events per transaction
REDELIVERED_A_SECOND = 100.0  # if the endpoint sets no rate


def send_again(who: Caller, webhook: str, wanted: Redelivery) -> SentAgain:
    with reading() as session:
        row = wanted_endpoint(session, who, webhook, enabled=True)
    pace = (
        now() + timedelta(seconds=number / (row.rate or REDELIVERED_A_SECOND)) for number in count()
    )
    if wanted.deliveries is not None:
        with begin() as session:
            note_webhook(session, who, "sent events again to", row)
            put = _again(session, row, _named(session, row, wanted.deliveries), (), pace)
        more = None
    else:
        put, more = _range(who, row, wanted, pace)
    ring_soon(DELIVER, row.id)
    return {"count": put, "more_since": utc_stamp(more)}


def _range(
    who: Caller, row: Endpoint, wanted: Redelivery, pace: Iterator[datetime]
) -> tuple[int, datetime | None]:
    """Send a few hundred at a time, each group in its own transaction."""
    with reading() as session:
        events = _events(session, row, wanted)
    more = events[MOST_REDELIVERED].at if len(events) > MOST_REDELIVERED else None
    events = events[:MOST_REDELIVERED]
    put = 0
    ordered = events[::-1] if wanted.newest_first else events
    for start in range(0, len(ordered), AT_ONCE):
        some = ordered[start : start + AT_ONCE]
        with begin() as session:
            if start == 0:
                note_webhook(session, who, "sent events again to", row)
            there, about = _there(session, row, some), _about(session, some)
            both = [(event, about[event.comment_id]) for event in some]
            asked = [each for each in both if _is_asked(row, *each, there.get(each[0].id), wanted)]
            kept = [there[event.id] for event, _ in asked if event.id in there]
            new = [each for each in asked if each[0].id not in there]
            put += _again(session, row, kept, new, pace)
    return put, more


class PastEvent(NamedTuple):
    """An event in the log; `at` is when it happened."""

    id: str
    site_id: int
    type: str
    comment_id: str
    sequence: int
    thread_id: int | None
    revision: int | None
    ends_approval: bool | None
    at: datetime


def _events(session: Session, row: Endpoint, wanted: Redelivery) -> list[PastEvent]:
    """Return the requested events, oldest first, and one more than a call sends."""
    found = select(*(getattr(Event, name) for name in PastEvent._fields))
    found = found.where(Event.site_id == row.site_id, Event.at >= wanted.since)
    if wanted.only == "failed":  # starts from the dead deliveries, which are few
        dead = select(Delivery.event_id).where(
            Delivery.endpoint_id == row.id, Delivery.state == "dead"
        )
        found = found.where(Event.id.in_(dead))
    if wanted.until:
        found = found.where(Event.at <= wanted.until)
    if wanted.types:
        found = found.where(Event.type.in_(wanted.types))
    found = found.order_by(Event.at, Event.position, Event.nth).limit(MOST_REDELIVERED + 1)
    return [PastEvent(*event) for event in session.execute(found)]


class ShownThread(NamedTuple):
    """A thread and the newest revision that its page shows."""

    key: str
    published_revision: int


class About(NamedTuple):
    """The thread of an event's comment, and when the comment was erased."""

    erased_at: datetime | None
    thread: ShownThread


def _about(session: Session, events: Sequence[PastEvent]) -> dict[str, About]:
    wanted = select(Comment.id, Comment.thread_id, Comment.erased_at)
    comments = session.execute(
        wanted.where(Comment.id.in_({event.comment_id for event in events}))
    ).all()
    read = select(Thread.id, Thread.key, Thread.published_revision)
    found = session.execute(
        read.where(Thread.id.in_({comment.thread_id for comment in comments}))
    ).all()
    threads = {thread.id: ShownThread(thread.key, thread.published_revision) for thread in found}
    return {
        comment.id: About(comment.erased_at, threads[comment.thread_id]) for comment in comments
    }


def _is_asked(
    row: Endpoint, event: PastEvent, about: About, there: Delivery | None, wanted: Redelivery
) -> bool:
    """Whether to send the event again. Of an erased comment, only the event of the erasure is
    sent.
    """
    if about.erased_at and event.type != "comment.deleted":
        return False
    if there is None:
        hears = wants(
            row, event.type, ends_approval=bool(event.ends_approval), thread=about.thread.key
        )
        return hears and wanted.only != "failed"
    return wanted.only == "all" or there.state == "dead"


def _there(session: Session, row: Endpoint, events: Sequence[PastEvent]) -> dict[str, Delivery]:
    ids = [event.id for event in events]
    found = (
        select(Delivery)
        .where(Delivery.endpoint_id == row.id, Delivery.event_id.in_(ids))
        .order_by(Delivery.id)
    )
    return {
        delivery.event_id: delivery
        for delivery in session.execute(found.with_for_update()).scalars()
    }


def _named(session: Session, row: Endpoint, ids: Sequence[str]) -> Sequence[Delivery]:
    mine = select(Delivery).where(
        Delivery.endpoint_id == row.id, Delivery.id.in_(filter(is_id, ids))
    )
    return session.execute(mine.order_by(Delivery.id).with_for_update()).scalars().all()


def _again(
    session: Session,
    row: Endpoint,
    kept: Sequence[Delivery],
    new: Sequence[tuple[PastEvent, About]],
    pace: Iterator[datetime],
) -> int:
    """Make these due, starting with the first attempt. Leave alone a delivery that is being sent,
    waits for its page, or was cancelled.
    """
    free = [
        each for each in kept if each.lease is None and each.state not in {"waiting", "cancelled"}
    ]
    for each in free:
        each.state, each.due, each.attempts, each.ended_at = "owed", next(pace), 0, None
    rows = []
    for event, about in new:
        is_shown = event.revision is None or about.thread.published_revision >= event.revision
        happened = Happened(
            event.id,
            event.site_id,
            event.type,
            event.comment_id,
            event.sequence if event.sequence > 0 else None,
            event.thread_id,
            revision=None if is_shown else event.revision,
        )
        rows.append(delivery_of(happened, row.id, next(pace)))
    if rows:
        session.connection().execute(insert(Base.metadata.tables["deliveries"]), rows)
    return len(free) + len(rows)
