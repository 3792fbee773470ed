"""API calls for the event log, and for checking a mirror that was made from it."""

from __future__ import annotations

import hashlib
from typing import Annotated, cast

from pydantic import AfterValidator, Field
from sqlalchemy import select, tuple_
from typing_extensions import TypedDict

from models.records import Comment, Event, Site, Thread
from models.store.database import reading
from models.text.numbers import digits_to_int
from models.text.stamps import utc_stamp
from service.comments.submission import ThreadArgument
from service.http.api_keys import Caller
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Limit1000, Query
from service.webhooks.shapes import CommentEvent, EventData

api = Noun("events", "Events", "The ordered log of everything that happened to comments.")

CURSOR = r"^[0-9]{1,9}\.[0-9]{1,9}$"


def _checked_cursor(text: str) -> str:
    parts = text.partition(".")[::2]
    if any(digits_to_int(part) is None for part in parts):
        raise ValueError(
            "This is not a cursor of the event log. Use `next` from an earlier response."
        )
    return text


class EventsQuery(Query):
    """Where to continue in the log."""

    after: Annotated[
        str,
        AfterValidator(_checked_cursor),
        Field(
            description="Start after this cursor. Use `next` from the previous response.",
            json_schema_extra={"pattern": CURSOR},
            examples=["17.1"],
        ),
    ] = "0.0"
    limit: Limit1000 = 100


class Events(TypedDict):
    """Events in order. `next` is the cursor of the last one."""

    events: list[CommentEvent]
    next: Annotated[str, Field(examples=["18.1"])]


@api.call(
    "GET",
    "/v1/sites/<site>/events",
    scope="read",
    summary="Read the event log",
    says="Events in order, and the cursor for the next request.",
    answers={
        410: (
            "Events after this cursor have been deleted. Read the comments again, then start "
            "from `oldest`."
        )
    },
)
def list_events(who: Caller, query: EventsQuery) -> Events:
    """Read the event log in order. Poll with `next` from the previous response. A cursor never
    skips an event.
    """
    position, _, nth = query.after.partition(".")
    later = tuple_(Event.position, Event.nth) > tuple_(int(position), int(nth))
    wanted = (
        select(Event)
        .where(Event.site_id == who.site.id, later)
        .order_by(Event.position, Event.nth)
        .limit(query.limit)
    )
    with reading() as session:
        found = session.execute(wanted).scalars().all()
        forgotten = session.scalar(select(Site.forgotten).where(Site.id == who.site.id)) or 0
    if 0 < int(position) < forgotten:
        detail = (
            "Events after this cursor have been deleted. Read the comments again, then start "
            "from `oldest`."
        )
        raise Problem(410, detail, oldest=f"{forgotten}.0")
    listed: list[CommentEvent] = [
        {
            "id": event.id,
            "type": event.type,
            "timestamp": utc_stamp(event.at),
            "data": cast(EventData, event.data),  # as it was settled (models/settling)
        }
        for event in found
    ]
    following = f"{found[-1].position}.{found[-1].nth}" if found else query.after
    return {"events": listed, "next": following}


class DigestQuery(Query):
    """Which thread to compare."""

    thread: ThreadArgument


class Digest(TypedDict):
    """One SHA-256 hash over all approved comments, sorted by id: a line `id version` for each, and
    each line ends with a newline.
    """

    thread: Annotated[str, Field(examples=["/2026/harbour"])]
    count: Annotated[int, Field(examples=[12])]
    digest: Annotated[
        str,
        Field(examples=["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]),
    ]
    next: Annotated[str, Field(examples=["18.1"])]


@api.call(
    "GET",
    "/v1/sites/<site>/events/digest",
    scope="read",
    summary="Check a mirror",
    says="A hash of the thread's published comments.",
)
def digest_thread(who: Caller, query: DigestQuery) -> Digest:
    """Compare your copy of a thread with the original. The hash matches a copy to which every event
    up to `next` has been applied.
    """
    approved = select(Comment.id, Comment.version).join(Thread, Thread.id == Comment.thread_id)
    approved = approved.where(
        Thread.site_id == who.site.id, Thread.key == query.thread, Comment.status == "approved"
    )
    newest = select(Event.position, Event.nth).where(Event.site_id == who.site.id)
    newest = newest.order_by(Event.position.desc(), Event.nth.desc()).limit(1)
    with reading(of_one_moment=True) as session:
        rows = session.execute(approved.order_by(Comment.id)).all()
        last = session.execute(newest).one_or_none()
    lines = b"".join(f"{row.id} {row.version}\n".encode() for row in rows)
    following = f"{last.position}.{last.nth}" if last else "0.0"
    return {
        "thread": query.thread,
        "count": len(rows),
        "digest": hashlib.sha256(lines).hexdigest(),
        "next": following,
    }
