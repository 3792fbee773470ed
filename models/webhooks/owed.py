"""Which endpoints get an event, and when; which deliveries an erasure cancels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, NotRequired, Protocol, TypedDict

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.records import Attempt, Delivery, Endpoint, Site, Thread
from models.store.database import now

EVENTS = (
    "comment.approved",
    "comment.flagged",
    "comment.rejected",
    "comment.edited",
    "comment.deleted",
    "comment.reported",
    "appeal.opened",
    "appeal.closed",
    "notice.opened",
    "notice.closed",
)
TEST = "webhook.test"
CHATS = ("slack", "discord", "mattermost", "teams")
# The reasons for which an endpoint is disabled without needing anyone's attention.
BY_HAND, MADE_SO = "Someone disabled it.", "It was created disabled."
# An endpoint that has failed for this long needs attention: the attempt after five minutes failed,
# too.
TROUBLE = timedelta(minutes=10)


class Listener(Protocol):
    """An endpoint, or a row of it, with the fields that decide which events it gets."""

    @property
    def events(self) -> Collection[str]: ...
    @property
    def thread_prefix(self) -> str: ...
    @property
    def format(self) -> str: ...


class Happened(NamedTuple):
    """An event, with the fields that decide its deliveries. A test event has no comment.

    The deliveries wait until the page of the thread shows `revision`. `ends_approval` means that
    the comment was approved until this event. `thread` is the key of the thread.
    """

    id: str
    site_id: int
    type: str
    comment_id: str | None = None
    sequence: int | None = None
    thread_id: int | None = None
    revision: int | None = None
    ends_approval: bool = False
    thread: str = ""


class DeliveryRow(TypedDict):
    id: str
    endpoint_id: str
    event_id: str
    type: str
    comment_id: str | None
    sequence: int | None
    thread_id: int | None
    revision: int | None
    state: str
    due: datetime | None
    attempts: int
    created_at: datetime
    payload: NotRequired[Mapping[str, object]]


def wants(endpoint: Listener, kind: str, *, ends_approval: bool, thread: str) -> bool:
    """Whether an endpoint gets an event of this kind.

    An endpoint that got an approval also gets the event that ends it, whatever its type.
    """
    if not thread.startswith(endpoint.thread_prefix):
        return False
    if endpoint.format in CHATS:
        return kind == "comment.flagged"
    return kind in endpoint.events or (ends_approval and "comment.approved" in endpoint.events)


class _Endpoint(NamedTuple):
    id: str
    site_id: int
    events: list[str]
    thread_prefix: str
    format: str


def owed_deliveries(
    session: Session,
    sites: Collection[int],
    events: Sequence[Happened],
    also_to: Mapping[str, Collection[str]],
    at: datetime,
) -> list[DeliveryRow]:
    """Return the deliveries for these events. `also_to` names further endpoints by event, even if
    they did not subscribe to it.
    """
    rows = session.connection().execute(_LISTENING, {"sites": list(sites)})
    endpoints = [_Endpoint(*row) for row in rows]
    owed: list[DeliveryRow] = []
    for event in events:
        for endpoint in endpoints:
            if endpoint.site_id != event.site_id:
                continue
            if _asked(endpoint, event) or endpoint.id in also_to.get(event.id, ()):
                owed.append(delivery_of(event, endpoint.id, at))
    return owed


def _asked(endpoint: _Endpoint, event: Happened) -> bool:
    return wants(endpoint, event.type, ends_approval=event.ends_approval, thread=event.thread)


def delivery_of(event: Happened, endpoint_id: str, at: datetime) -> DeliveryRow:
    """Return a delivery that is due at once, or that waits until the page shows the event."""
    waits = event.revision is not None
    return {
        "id": new_id(),
        "endpoint_id": endpoint_id,
        "event_id": event.id,
        "type": event.type,
        "comment_id": event.comment_id,
        "sequence": event.sequence,
        "thread_id": event.thread_id,
        "revision": event.revision,
        "state": "waiting" if waits else "owed",
        "due": None if waits else at,
        "attempts": 0,
        "created_at": at,
    }


def release_published(session: Session, at: datetime, threads: Collection[int | None]) -> list[str]:
    """Make deliveries due that waited for these threads' pages, if the pages now show their events.
    Return their endpoints.
    """
    rows = session.connection().execute(_RELEASE, {"threads": list(threads), "at": at}).all()
    return list(dict.fromkeys(row.endpoint_id for row in rows))


def shown_but_waiting(session: Session) -> list[int | None]:
    """Return threads whose pages show events that deliveries still wait for, because the publisher
    died before it could release them.
    """
    return list(session.execute(_SHOWN_BUT_WAITING).scalars())


def overdue_endpoints(session: Session, before: datetime) -> list[str]:
    """Return enabled endpoints with a delivery that was due before the given time."""
    owed = select(Delivery.id).where(Delivery.endpoint_id == Endpoint.id, Delivery.due < before)
    return list(
        session.execute(select(Endpoint.id).where(Endpoint.is_enabled, owed.exists())).scalars()
    )


def troubled(session: Session, sites: Collection[str], at: datetime) -> list[Row[str, Endpoint]]:
    """Return webhooks of these sites that need attention, each with its site: they have been
    failing for a while, or Greenroom disabled them. A webhook that a person disabled does not.
    """
    fails = Endpoint.is_enabled & (Endpoint.failing_since < at - TROUBLE)
    gave_up = ~Endpoint.is_enabled & Endpoint.disabled_why.not_in((BY_HAND, MADE_SO))
    wanted = select(Site.key, Endpoint).join(Site, Site.id == Endpoint.site_id)
    wanted = wanted.where(Site.key.in_(sites), Endpoint.deleted_at.is_(None), fails | gave_up)
    return list(session.execute(wanted.order_by(Endpoint.id)).all())


def cancel_deliveries(session: Session, comment_id: str) -> set[str]:
    """Cancel the comment's unfinished deliveries, except that of its erasure. Return the endpoints
    that would have got them.
    """
    pending = (Delivery.comment_id == comment_id) & Delivery.state.in_(("waiting", "owed"))
    pending &= Delivery.type != "comment.deleted"
    # Locked in the order of their ids, as the sender does.
    found = session.execute(
        select(Delivery.id, Delivery.endpoint_id)
        .where(pending)
        .order_by(Delivery.id)
        .with_for_update()
    )
    rows = found.all()
    if rows:
        cancelled = update(Delivery).where(Delivery.id.in_([row.id for row in rows]))
        session.execute(cancelled.values(state="cancelled", due=None, lease=None, ended_at=now()))
    return {row.endpoint_id for row in rows}


def redact_attempts(session: Session, comment_id: str) -> None:
    """Forget the endpoints' answers about this comment: an answer may quote it."""
    of_it = select(Delivery.id).where(Delivery.comment_id == comment_id)
    session.execute(
        update(Attempt)
        .where(Attempt.delivery_id.in_(of_it), Attempt.answer != "")
        .values(answer="")
    )


# Built once: putting a statement together costs more than running it.
_LISTENING = select(
    Endpoint.id, Endpoint.site_id, Endpoint.events, Endpoint.thread_prefix, Endpoint.format
).where(Endpoint.site_id.in_(bindparam("sites", expanding=True)), Endpoint.is_enabled)
_SHOWN = select(Thread.id).where(
    Thread.id == Delivery.thread_id, Thread.published_revision >= Delivery.revision
)
_READY = (
    select(Delivery.id)
    .where(
        Delivery.state == "waiting",
        Delivery.thread_id.in_(bindparam("threads", expanding=True)),
        _SHOWN.exists(),
    )
    .order_by(Delivery.id)
)
_RELEASE = (
    update(Delivery)
    .where(Delivery.id.in_(select(_READY.with_for_update(key_share=True).cte("ready").c.id)))
    .values(state="owed", due=bindparam("at"))
    .returning(Delivery.endpoint_id)
    .execution_options(synchronize_session=False)
)
# Compared, not joined: a join would make the planner read all threads instead of looking up the few
# that have deliveries waiting.
_SHOWS = select(Thread.published_revision).where(Thread.id == Delivery.thread_id).scalar_subquery()
_SHOWN_BUT_WAITING = (
    select(Delivery.thread_id)
    .where(Delivery.state == "waiting", Delivery.revision <= _SHOWS)
    .distinct()
    .limit(500)
)
