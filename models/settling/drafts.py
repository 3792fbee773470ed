"""The comments and threads that a settling transaction changes: locked and read once, changed in
memory, and written once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import starmap
from operator import attrgetter

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    select,
    update,
)
from sqlalchemy.orm import Session

from models.records import Comment, Site
from models.store.database import Base


@dataclass(slots=True)
class CommentDraft:
    """The columns of a comment that settling reads or writes.

    `parent_reader_id` is the reader whose comment it replies to, if that one is known.
    """

    id: str
    site_id: int
    thread_id: int
    parent_id: str | None
    reader_id: str | None
    parent_reader_id: str | None
    top_id: str
    status: str
    version: int
    name: str
    website: str | None
    badges: list[str] | None
    body: str
    html: str | None
    language: str | None
    page: dict[str, str | None]
    at: datetime
    edited_at: datetime | None
    edit_id: str | None
    settled_at: datetime | None
    erased_at: datetime | None
    screen_due: datetime | None
    screenings: int
    screening_by: str | None
    screenings_alone: int
    risk: float | None
    found: str | None
    held_by: str | None
    seen_at: datetime | None
    campaign: str | None
    place: int | None
    places: int
    revision: int
    event_sequence: int


@dataclass(slots=True)
class ThreadDraft:
    """The columns of a thread that settling reads or writes."""

    id: int
    key: str
    url: str | None
    url_is_final: bool
    title: str | None
    title_is_final: bool
    revision: int
    count: int
    places: int
    followers: int
    publish_due: datetime | None


class Drafts:
    """The comments with these ids, if they exist, with their threads and sites.

    Every transaction locks comments, threads, sites, then deliveries, each in the order of their
    ids, so that no two transactions wait for each other.
    """

    def __init__(self, session: Session, comment_ids: Iterable[str]) -> None:
        self._connection = session.connection()
        ids = sorted(set(comment_ids))
        tops = self._connection.execute(_TOPS, {"ids": ids}).scalars()
        rows = self._connection.execute(_LOCK_COMMENTS, {"ids": list({*ids, *tops})})
        self._locked = {draft.id: draft for draft in starmap(CommentDraft, rows)}
        self.comments = {id_: self._locked[id_] for id_ in ids if id_ in self._locked}
        self.threads = self._lock_threads()
        self.site_keys = self._site_keys()
        self._changed: dict[str, CommentDraft] = {}
        self._edited: dict[str, CommentDraft] = {}

    def _lock_threads(self) -> dict[int, ThreadDraft]:
        ids = {comment.thread_id for comment in self.comments.values()}
        rows = self._connection.execute(_LOCK_THREADS, {"ids": list(ids)})
        return {draft.id: draft for draft in starmap(ThreadDraft, rows)}

    def _site_keys(self) -> dict[int, str]:
        ids = {comment.site_id for comment in self.comments.values()}
        return dict(self._connection.execute(_SITES, {"ids": list(ids)}).all())

    def thread_of(self, comment: CommentDraft) -> ThreadDraft:
        return self.threads[comment.thread_id]

    def top_of(self, comment: CommentDraft) -> CommentDraft:
        """The top comment of its branch: the comment itself, if it replies to none."""
        return self._locked[comment.top_id]

    def change(self, comment: CommentDraft) -> None:
        """Write the comment, and its thread with it, at the end of the transaction."""
        self._changed[comment.id] = comment

    def edit(self, comment: CommentDraft) -> None:
        """Write its text and its edit, too, which most transactions leave as they are."""
        self._edited[comment.id] = comment

    def write(self) -> None:
        comments = list(self._changed.values())
        _REWRITE_TEXTS.execute(self._connection, list(self._edited.values()))
        threads = sorted({comment.thread_id for comment in comments})
        _REWRITE_COMMENTS.execute(self._connection, comments)
        _REWRITE_THREADS.execute(self._connection, [self.threads[id_] for id_ in threads])


class _Rewriting:
    """Write some columns of many rows, each found by its id, in one call to the driver."""

    def __init__(self, table: Table, columns: Collection[str]) -> None:
        new: dict[str, BindParameter[object]] = {
            column: bindparam(f"new_{column}") for column in columns
        }
        self._statement = update(table).where(table.c.id == bindparam("its_id")).values(new)
        self._names = ("its_id", *(f"new_{column}" for column in columns))
        self._values = attrgetter("id", *columns)

    def execute(
        self, connection: Connection, drafts: Collection[CommentDraft] | Collection[ThreadDraft]
    ) -> None:
        if drafts:
            rows = [dict(zip(self._names, self._values(each), strict=True)) for each in drafts]
            connection.execute(self._statement, rows)


def _locking(
    table: Table, draft: type[CommentDraft] | type[ThreadDraft]
) -> Select[*tuple[object, ...]]:
    """Select the draft's columns and lock the rows against changes. A comment that is being
    accepted may still refer to them.
    """
    return (
        select(*(_column(table, field.name) for field in fields(draft)))
        .where(table.c.id.in_(_IDS))
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )


def _column(table: Table, name: str) -> ColumnElement[object]:
    return _OF_OTHERS[name] if name in _OF_OTHERS else table.c[name]


# Built once: putting a statement together costs more than running it.
_IDS: BindParameter[object] = bindparam("ids", expanding=True)
_COMMENTS, _THREADS = Base.metadata.tables["comments"], Base.metadata.tables["threads"]
_PARENT = _COMMENTS.alias("parent")
_OF_OTHERS: dict[str, ColumnElement[object]] = {
    "parent_reader_id": select(_PARENT.c.reader_id)
    .where(_PARENT.c.id == _COMMENTS.c.parent_id)
    .scalar_subquery()
}
_TOPS = select(Comment.top_id).where(Comment.id.in_(_IDS))
_SITES = select(Site.id, Site.key).where(Site.id.in_(_IDS))
_LOCK_COMMENTS = _locking(_COMMENTS, CommentDraft)
_LOCK_THREADS = _locking(_THREADS, ThreadDraft)
_REWRITE_COMMENTS = _Rewriting(
    _COMMENTS,
    (
        *("status", "version", "html", "language", "settled_at", "seen_at", "campaign"),
        *("screen_due", "screenings", "screening_by", "screenings_alone", "risk", "found"),
        "held_by",
        *("place", "places", "revision", "event_sequence"),
    ),
)
_REWRITE_TEXTS = _Rewriting(_COMMENTS, ("body", "edited_at", "edit_id"))
_REWRITE_THREADS = _Rewriting(
    _THREADS, ("revision", "count", "places", "publish_due", "url", "title")
)
