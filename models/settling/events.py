"""Write the events of a settling transaction: their data, their order, and the webhook deliveries
that they cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NotRequired, TypedDict, cast

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.records import Delivery, Event, Site
from models.settings import settings
from models.settling.actor import ActorShape
from models.settling.appeals import AppealShape
from models.settling.drafts import CommentDraft, Drafts, ThreadDraft
from models.store.database import Base
from models.text.stamps import utc_stamp
from models.webhooks.owed import Happened, owed_deliveries


class ThreadShape(TypedDict):
    key: str
    url: str | None
    title: str | None


class CommentShape(TypedDict):
    id: str
    parent: str | None
    status: str
    version: int
    name: str
    website: str | None
    badges: list[str]
    html: str
    at: str


class DecisionShape(TypedDict):
    by: str
    actor: ActorShape
    verdict: Verdict
    reasons: list[str]


class ReportCounts(TypedDict):
    """The open reports of a comment: how many, their weight together, and how many for each
    reason.
    """

    count: int
    weight: float
    by_reason: dict[str, int]


class NoticeState(TypedDict):
    """A notice of illegal content, without the person who sent it."""

    id: str
    category: str
    opened: str
    due: str
    outcome: str | None


class Details(TypedDict, total=False):
    """What an event says besides the state of its comment."""

    reports: ReportCounts
    notice: NoticeState
    appeal: AppealShape


class EventData(TypedDict):
    """The public state of a comment. It never contains an email address. An event that is not one
    of the comment's own sequence has no `sequence`.
    """

    site: str
    thread: ThreadShape
    permalink: str
    sequence: int | None
    supersedes: str | None
    comment: CommentShape
    decision: DecisionShape | None
    reports: NotRequired[ReportCounts]
    notice: NotRequired[NoticeState]
    appeal: NotRequired[AppealShape]


class EventRow(TypedDict):
    id: str
    site_id: int
    position: int
    nth: int
    type: str
    comment_id: str
    sequence: int
    supersedes: str | None
    data: EventData
    thread_id: int
    revision: int | None
    ends_approval: bool
    at: datetime


class EventLog:
    """Adds events to the logs of the sites, in the order of this transaction among all others."""

    def __init__(self, session: Session, drafts: Drafts, at: datetime) -> None:
        self._session, self._drafts, self._at = session, drafts, at
        self._latest = self._latest_events()
        self._rows: dict[int, list[EventRow]] = defaultdict(list)  # by site
        self._also_to: dict[str, Collection[str]] = {}
        self._asides: dict[str, int] = {}  # by comment: the last number that `add_aside` used
        self._listened: set[int] = set()
        self.owed: dict[str, list[str]] = defaultdict(list)

    def _latest_events(self) -> dict[str, str]:
        """The id of each comment's last event."""
        ids = [comment.id for comment in self._drafts.comments.values() if comment.event_sequence]
        if not ids:
            return {}
        log = select(Event.comment_id, Event.id).where(Event.comment_id.in_(ids))
        return dict(self._session.execute(log.order_by(Event.sequence)).all())

    @property
    def sites(self) -> Collection[int]:
        return self._rows.keys()

    def add(
        self,
        comment: CommentDraft,
        decision: DecisionShape | None,
        *,
        was: str,
        revision: int | None,
        is_edit: bool = False,
    ) -> None:
        """Add an event about the comment's new status, or about an edit of its text. `was` is the
        status before. An event that changes a page names the `revision` at which the page shows the
        change.
        """
        kind = "comment.edited" if is_edit else f"comment.{comment.status}"
        row = self._next(comment, kind, self._data(comment, decision, {}))
        row["revision"], row["ends_approval"] = revision, was == "approved" and not is_edit

    def add_news(self, comment: CommentDraft, kind: str, details: Details) -> None:
        """Add an event of the comment's own sequence that changes neither status nor page."""
        self._next(comment, kind, self._data(comment, None, details))

    def add_aside(self, comment: CommentDraft, kind: str, details: Details) -> None:
        """Add an event that is about something else than the comment's own state, such as a notice.
        It has no number in the comment's sequence. Lock the comment before.
        """
        asides = self._asides
        if comment.id not in asides:
            least = select(func.min(Event.sequence)).where(Event.comment_id == comment.id)
            asides[comment.id] = min(0, self._session.scalar(least) or 0)
        asides[comment.id] -= 1
        self._row(comment, kind, asides[comment.id], self._data(comment, None, details))

    def site_of(self, comment: CommentDraft) -> str:
        """Return the key of the comment's site."""
        return self._drafts.site_keys[comment.site_id]

    def _next(self, comment: CommentDraft, kind: str, data: EventData) -> EventRow:
        """Return a new row with the next number of the comment's sequence."""
        data["supersedes"] = self._latest.get(comment.id)
        comment.event_sequence += 1
        data["sequence"] = comment.event_sequence
        row = self._row(comment, kind, comment.event_sequence, data)
        self._latest[comment.id] = row["id"]
        return row

    def _row(self, comment: CommentDraft, kind: str, sequence: int, data: EventData) -> EventRow:
        rows = self._rows[comment.site_id]
        row: EventRow = {
            "id": new_id(),
            "site_id": comment.site_id,
            "position": 0,  # see `number`
            "nth": len(rows) + 1,
            "type": kind,
            "comment_id": comment.id,
            "sequence": sequence,
            "supersedes": data["supersedes"],
            "data": data,
            "thread_id": comment.thread_id,
            "revision": None,
            "ends_approval": False,
            "at": self._at,
        }
        rows.append(row)
        return row

    def _data(
        self, comment: CommentDraft, decision: DecisionShape | None, details: Details
    ) -> EventData:
        site = self._drafts.site_keys[comment.site_id]
        data: EventData = {
            "site": site,
            "thread": _thread_shape(self._drafts.thread_of(comment)),
            "permalink": f"{settings().base_url}/sites/{site}/c/{comment.id}",
            "sequence": None,
            "supersedes": None,
            "comment": _comment_shape(comment),
            "decision": decision,
        }
        data.update(cast(EventData, details))
        return data

    def tell_also(self, comment_id: str, endpoint_ids: Collection[str]) -> None:
        """Deliver the comment's last event to these endpoints, too, even if they did not subscribe
        to its type.
        """
        self._also_to[self._latest[comment_id]] = endpoint_ids

    def number(self, site: int) -> None:
        """Increment the site's counter, once per transaction, if it has events. The counter stays
        locked until the commit, so a cursor over the events never skips one.
        """
        rows = self._rows.get(site)
        if not rows:
            return
        stepped = self._session.connection().execute(_NEXT_POSITION, {"site": site})
        position, endpoints = stepped.one()
        for row in rows:
            row["position"] = position
        if endpoints or self._also_to:
            self._listened.add(site)

    def write(self) -> None:
        rows = [row for rows in self._rows.values() for row in rows]
        if rows:
            self._session.connection().execute(insert(_EVENTS), rows)
        if self._listened:
            self._owe_deliveries(rows)

    def _owe_deliveries(self, rows: Sequence[EventRow]) -> None:
        """Add the deliveries. The site's counter is locked, so a new endpoint subscribes either
        before these events or after them.
        """
        happened = [_happened(row) for row in rows]
        owed = owed_deliveries(self._session, self._listened, happened, self._also_to, self._at)
        if owed:
            self._session.connection().execute(insert(_DELIVERIES), owed)
        for delivery in owed:
            if delivery["due"] and delivery["comment_id"]:
                self.owed[delivery["comment_id"]].append(delivery["endpoint_id"])


def _thread_shape(thread: ThreadDraft) -> ThreadShape:
    return {"key": thread.key, "url": thread.url, "title": thread.title}


def _comment_shape(comment: CommentDraft) -> CommentShape:
    return {
        "id": comment.id,
        "parent": comment.parent_id,
        "status": comment.status,
        "version": comment.version,
        "name": comment.name,
        "website": comment.website,
        "badges": comment.badges or [],
        "html": comment.html or "",
        "at": utc_stamp(comment.at),
    }


def _happened(row: EventRow) -> Happened:
    return Happened(
        row["id"],
        row["site_id"],
        row["type"],
        row["comment_id"],
        row["data"]["sequence"],
        row["thread_id"],
        row["revision"],
        ends_approval=row["ends_approval"],
        thread=row["data"]["thread"]["key"],
    )


_EVENTS = Base.metadata.tables[Event.__tablename__]
_DELIVERIES = Base.metadata.tables[Delivery.__tablename__]
# Built once: putting a statement together costs more than running it.
_NEXT_POSITION = (
    update(Site)
    .where(Site.id == bindparam("site"))
    .values(event_sequence=Site.event_sequence + 1)
    .returning(Site.event_sequence, Site.endpoints)
)
