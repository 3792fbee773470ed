"""What is owed to whom: which endpoints hear of an event, from when on, and what an erasure takes
back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

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
)
TEST = "webhook.test"
CHATS = ("slack", "discord", "mattermost", "teams")
BY_HAND, MADE_SO = (
    "Someone disabled it.",
    "It was made so.",
)  # why one is disabled that nobody needs to hear of
TROUBLE = timedelta(
    minutes=10
)  # failing for so long is no hiccup: the attempt after five minutes failed too


def wants(endpoint: Any, kind: str, *, ends_approval: bool, thread: str) -> bool:
    """Whether an endpoint hears of an event of this kind.

    Whoever was told that a comment is approved is also told what ends that, whatever its kind.
    """
    if not thread.startswith(endpoint.thread_prefix):
        return False
    if endpoint.format in CHATS:
        return kind == "comment.flagged"
    return kind in endpoint.events or (ends_approval and "comment.approved" in endpoint.events)


def owed_deliveries(
    session: Session,
    sites: Collection[int],
    events: Sequence[Mapping[str, Any]],
    also_to: Mapping[str, Collection[str]],
    at: datetime,
) -> list[dict[str, Any]]:
    """The rows of what these events owe. `also_to` names endpoints that hear of an event whatever
    they asked for.
    """
    endpoints = session.connection().execute(_LISTENING, {"sites": list(sites)}).all()
    return [
        delivery_of(event, endpoint.id, at)
        for event in events
        for endpoint in endpoints
        if endpoint.site_id == event["site_id"]
        and (_asked(endpoint, event) or endpoint.id in also_to.get(event["id"], ()))
    ]


def _asked(endpoint: Any, event: Mapping[str, Any]) -> bool:
    thread = event["data"]["thread"]["key"]
    return wants(endpoint, event["type"], ends_approval=bool(event["ends_approval"]), thread=thread)


def delivery_of(event: Mapping[str, Any], endpoint_id: str, at: datetime) -> dict[str, Any]:
    """Due at once, unless it is of a page that has yet to show what it tells."""
    waits = event["revision"] is not None
    return {
        "id": new_id(),
        "endpoint_id": endpoint_id,
        "event_id": event["id"],
        "type": event["type"],
        "comment_id": event["comment_id"],
        "sequence": event["sequence"],
        "thread_id": event["thread_id"],
        "revision": event["revision"],
        "state": "waiting" if waits else "owed",
        "due": None if waits else at,
        "attempts": 0,
        "created_at": at,
    }


def release_published(session: Session, at: datetime, threads: Collection[int | None]) -> list[str]:
    """Make due what waited for these threads' pages and is shown by now; the endpoints that are to
    hear of it.
    """
    rows = session.connection().execute(_RELEASE, {"threads": list(threads), "at": at}).all()
    return list(dict.fromkeys(row.endpoint_id for row in rows))


def shown_but_waiting(session: Session) -> list[int | None]:
    """Threads whose pages show what deliveries still wait for: whoever published them did not get
    to say so.
    """
    return list(session.execute(_SHOWN_BUT_WAITING).scalars())


def overdue_endpoints(session: Session, before: datetime) -> list[str]:
    """Enabled endpoints that were owed something before a time."""
    owed = select(Delivery.id).where(Delivery.endpoint_id == Endpoint.id, Delivery.due < before)
    return list(
        session.execute(select(Endpoint.id).where(Endpoint.is_enabled, owed.exists())).scalars()
    )


def troubled(session: Session, sites: Collection[str], at: datetime) -> list[Row[str, Endpoint]]:
    """Webhooks of these sites that need someone to look: they fail for a while, or disabled
    themselves; with the site.

    One that somebody disabled since is meant to be so.
    """
    fails = Endpoint.is_enabled & (Endpoint.failing_since < at - TROUBLE)
    gave_up = ~Endpoint.is_enabled & Endpoint.disabled_why.not_in((BY_HAND, MADE_SO))
    wanted = select(Site.key, Endpoint).join(Site, Site.id == Endpoint.site_id)
    wanted = wanted.where(Site.key.in_(sites), Endpoint.deleted_at.is_(None), fails | gave_up)
    return list(session.execute(wanted.order_by(Endpoint.id)).all())


def cancel_deliveries(session: Session, comment_id: str) -> set[str]:
    """Take back what was not delivered yet, but for the word that it is gone; the endpoints that
    would have heard.
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
    """An answer may quote what it was sent."""
    of_it = select(Delivery.id).where(Delivery.comment_id == comment_id)
    session.execute(
        update(Attempt)
        .where(Attempt.delivery_id.in_(of_it), Attempt.answer != "")
        .values(answer="")
    )


def _listening() -> Any:
    columns = (
        Endpoint.id,
        Endpoint.site_id,
        Endpoint.events,
        Endpoint.thread_prefix,
        Endpoint.format,
    )
    return select(*columns).where(
        Endpoint.site_id.in_(bindparam("sites", expanding=True)), Endpoint.is_enabled
    )


# Built once: putting a statement together costs more than running it.
_LISTENING = _listening()
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
# Compared, not joined: a planner would rather read all threads than look up those of the few that
# wait.
_SHOWS = select(Thread.published_revision).where(Thread.id == Delivery.thread_id).scalar_subquery()
_SHOWN_BUT_WAITING = (
    select(Delivery.thread_id)
    .where(Delivery.state == "waiting", Delivery.revision <= _SHOWS)
    .distinct()
    .limit(500)
)
