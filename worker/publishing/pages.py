"""Build a thread's pages and feed as stored objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVarTuple
from urllib.parse import urlencode

import orjson
from sqlalchemy import Row, RowMapping, Select, bindparam, func, select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.store import storage
from models.store.database import Base
from models.store.published import PublishedComment, ThreadPage
from models.store.storage import REPLIES_A_PAGE, TOPS_A_PAGE
from models.text.numbers import digits_to_int
from models.text.stamps import utc_stamp
from worker.publishing.feeds import feed

_Columns = TypeVarTuple("_Columns")
# Rows of the statements below, in the order of their columns.
_Changed: TypeAlias = Row[str, str, datetime | None, str | None, str, int, int]
_Shown: TypeAlias = Row[
    str, str | None, str, str, str | None, str, datetime, datetime | None, str, int
]


class Object(NamedTuple):
    name: str
    content: bytes
    content_type: str = "application/json"


class Snapshot(NamedTuple):
    """The objects that storage must get, because they changed since the last published revision."""

    revision: int
    objects: list[Object]
    site: str = ""
    changed: Sequence[_Changed] = ()  # the comments that changed


def changed_pages(session: Session, thread_id: int, since: int) -> Snapshot:
    """Return the objects that differ from those in storage at revision `since`."""
    thread = session.connection().execute(_THREAD, {"thread": thread_id}).mappings().one()
    return _Writer(session, thread).snapshot(since)


class Built(NamedTuple):
    """One object with its current content, and a tag that changes with it."""

    content: bytes
    tag: str


def thread_number(session: Session, site: str, thread: str) -> int | None:
    number: int | None = (
        session.connection().execute(_NUMBER, {"site": site, "key": thread}).scalar()
    )
    return number


def object_named(session: Session, thread_id: int, name: str) -> Built | None:
    """Build the object of that name from the rows. Return None if the thread has no object of that
    name.
    """
    thread = session.connection().execute(_THREAD, {"thread": thread_id}).mappings().one()
    content = _Writer(session, thread).content(name)
    if content is None:
        return None
    return Built(content, f"built-{thread['revision']}-{len(content)}")


def revision_of_object(session: Session, thread_id: int, name: str) -> int | None:
    """Return the newest revision at which a comment on that object changed; None for an object that
    is always written.
    """
    *_, top, file = name.split("/")
    number = digits_to_int(file.partition(".")[0])
    if number is None:
        return None
    if is_id(top):
        first = number * REPLIES_A_PAGE
        within = {"top": top, "first": first, "last": first + REPLIES_A_PAGE - 1}
        changed = session.connection().execute(_REPLIES_CHANGED, within).scalar()
    else:
        first = (number - 1) * TOPS_A_PAGE
        within = {"thread": thread_id, "first": first, "last": first + TOPS_A_PAGE - 1}
        changed = session.connection().execute(_PAGE_CHANGED, within).scalar()
    return changed or 0


# Built once: putting a statement together costs more than running it.
_THREADS, _SITES, _COMMENTS = (
    Base.metadata.tables[name] for name in ("threads", "sites", "comments")
)
_C, _TOP = _COMMENTS.c, _COMMENTS.alias("top")
_THREAD = select(_THREADS, _SITES.c.key.label("site")).join(
    _SITES, _SITES.c.id == _THREADS.c.site_id
)
_THREAD = _THREAD.where(_THREADS.c.id == bindparam("thread"))
_CHANGED = select(
    _C.id,
    _C.status,
    _C.settled_at,
    _C.parent_id,
    _C.top_id,
    _C.place,
    _TOP.c.place.label("top_place"),
)
_CHANGED = _CHANGED.join(_TOP, _TOP.c.id == _C.top_id)
_CHANGED = _CHANGED.where(_C.thread_id == bindparam("thread"), _C.revision > bindparam("since"))
_SHOWN = select(
    _C.id,
    _C.parent_id,
    _C.status,
    _C.name,
    _C.website,
    _C.html,
    _C.at,
    _C.edited_at,
    _C.avatar,
    _C.badges,
    _C.places,
)
_SHOWN = _SHOWN.where(_C.place.between(bindparam("first"), bindparam("last"))).order_by(_C.id)
_TOPS = _SHOWN.where(_C.thread_id == bindparam("thread"), _C.parent_id.is_(None))
_REPLIES = _SHOWN.where(_C.top_id.in_(bindparam("tops", expanding=True)), _C.parent_id.is_not(None))
_CONTINUED = select(_C.top_id).where(
    _C.top_id.in_(bindparam("tops", expanding=True)),
    _C.parent_id.is_not(None),
    _C.place >= bindparam("after"),
    _C.status == "approved",
)
_NUMBER = select(_THREADS.c.id).join(_SITES, _SITES.c.id == _THREADS.c.site_id)
_NUMBER = _NUMBER.where(_SITES.c.key == bindparam("site"), _THREADS.c.key == bindparam("key"))
_PAGE_CHANGED = select(func.max(_C.revision)).join(_TOP, _TOP.c.id == _C.top_id)
_PAGE_CHANGED = _PAGE_CHANGED.where(
    _TOP.c.thread_id == bindparam("thread"), _TOP.c.parent_id.is_(None)
)
_PAGE_CHANGED = _PAGE_CHANGED.where(_TOP.c.place.between(bindparam("first"), bindparam("last")))
_PAGE_CHANGED = _PAGE_CHANGED.where(_C.parent_id.is_(None) | (_C.place < REPLIES_A_PAGE))
_REPLIES_CHANGED = select(func.max(_C.revision)).where(
    _C.top_id == bindparam("top"), _C.parent_id.is_not(None)
)
_REPLIES_CHANGED = _REPLIES_CHANGED.where(_C.place.between(bindparam("first"), bindparam("last")))
_PLACES = select(_C.places).where(_C.id == bindparam("top"))


class _Writer:
    """Builds a thread's objects from its comments. The cost depends on the changed pages, not on
    the length of the thread.
    """

    def __init__(self, session: Session, thread: RowMapping) -> None:
        self.session, self.thread, self.site = session, thread, thread["site"]

    def snapshot(self, since: int) -> Snapshot:
        changed = self._ask(_CHANGED, thread=self.thread["id"], since=since)
        pages, continued = self._touched(changed)
        shown, comments = self._newest()
        built = {shown: comments} | {page: self.page(page) for page in pages - {shown}}
        objects = [
            Object(storage.page_name(*self.key, page), self._json(page, built[page]))
            for page in built
        ]
        for top, page in continued:
            objects.append(
                Object(storage.replies_name(*self.key, top, page), self.replies(top, page))
            )
        objects.append(
            Object(storage.feed_name(*self.key), self._atom(built[shown]), "application/atom+xml")
        )
        objects.append(
            Object(storage.newest_name(*self.key), self._json(shown, built[shown]))
        )  # last, because it links to the others
        return Snapshot(self.thread["revision"], objects, self.site, changed)

    @property
    def key(self) -> tuple[str, str]:
        return self.site, self.thread["key"]

    def content(self, name: str) -> bytes | None:
        """Return the content of one object."""
        *folder, file = name.removeprefix(
            storage.newest_name(*self.key).removesuffix("newest.json")
        ).split("/")
        number = digits_to_int(file.partition(".")[0], digits=8)
        if file == "newest.json":
            return self._json(*self._newest())
        if file == "feed.atom":
            return self._atom(self._newest()[1])
        if number is None or len(folder) > 1:
            return None
        if folder:
            return self.replies(folder[0], number) if self._ask(_PLACES, top=folder[0]) else None
        return self._json(number, self.page(number))

    def _newest(self) -> tuple[int, list[PublishedComment]]:
        """Return the page that readers see first."""
        shown = max(1, -(-self.thread["places"] // TOPS_A_PAGE))
        while (comments := self.page(shown)) == [] and shown > 1:
            shown -= 1  # all of its comments were removed: readers begin at the page before
        return shown, comments

    def _touched(self, changed: Sequence[_Changed]) -> tuple[set[int], set[tuple[str, int]]]:
        """Return the pages of top-level comments, and the continued replies, that hold these
        comments.
        """
        pages, continued = set(), set()
        for row in changed:
            chunk = 0 if row.parent_id is None else row.place // REPLIES_A_PAGE
            # The page before is written, too: the first reply of a new page adds a link to it.
            continued |= {(row.top_id, number) for number in (chunk, chunk - 1) if number > 0}
            if chunk <= 1:
                pages.add(row.top_place // TOPS_A_PAGE + 1)
        return pages, continued

    def page(self, number: int) -> list[PublishedComment]:
        """Return the top-level comments of a page, newest first, each with its replies, oldest
        first.
        """
        first = (number - 1) * TOPS_A_PAGE
        tops = self._ask(_TOPS, thread=self.thread["id"], first=first, last=first + TOPS_A_PAGE - 1)
        answered = [top.id for top in tops if top.places]
        replies = (
            self._ask(_REPLIES, tops=answered, first=0, last=REPLIES_A_PAGE - 1) if answered else []
        )
        return self._forest([*tops, *replies])[::-1]

    def replies(self, top: str, number: int) -> bytes:
        """Return replies that do not fit under their top-level comment, oldest first."""
        first = number * REPLIES_A_PAGE
        rows = self._ask(_REPLIES, tops=[top], first=first, last=first + REPLIES_A_PAGE - 1)
        total = self._ask(_PLACES, top=top)[0].places
        is_more = total > first + REPLIES_A_PAGE
        following = self._url(replies=top, page=number + 1) if is_more else None
        return self._head(number, following, self._forest(rows))

    def _ask(self, statement: Select[*_Columns], **values: object) -> Sequence[Row[*_Columns]]:
        return self.session.connection().execute(statement, values).all()

    def _forest(self, rows: Sequence[_Shown]) -> list[PublishedComment]:
        """Nest the comments under those that they reply to. A removed comment leaves an empty place
        while it has replies.
        """
        present = {row.id for row in rows}
        continued = self._continued([row.id for row in rows if row.places > REPLIES_A_PAGE])
        built: dict[str | None, list[PublishedComment]] = defaultdict(list)
        for row in reversed(rows):  # a reply is younger than its parent, so leaves come first
            replies = built[row.id][::-1]
            if row.status == "approved" or replies or row.id in continued:
                built[row.parent_id if row.parent_id in present else None].append(
                    self._shape(row, replies)
                )
        return built[None][::-1]

    def _continued(self, tops: list[str]) -> set[str]:
        """Return those comments of which a reply in another object is published."""
        return (
            {row.top_id for row in self._ask(_CONTINUED, tops=tops, after=REPLIES_A_PAGE)}
            if tops
            else set()
        )

    def _shape(self, row: _Shown, replies: list[PublishedComment]) -> PublishedComment:
        more = self._url(replies=row.id, page=1) if row.places > REPLIES_A_PAGE else None
        if row.status != "approved":
            return {
                "id": None,
                "parent": row.parent_id,
                "name": "",
                "website": None,
                "html": "",
                "at": utc_stamp(row.at),
                "edited_at": None,
                "avatar": "",
                "badges": [],
                "removed": True,
                "replies": replies,
                "more": more,
            }
        return {
            "id": row.id,
            "parent": row.parent_id,
            "name": row.name,
            "website": row.website,
            "html": row.html,
            "at": utc_stamp(row.at),
            "edited_at": utc_stamp(row.edited_at),
            "avatar": row.avatar,
            "badges": row.badges or [],
            "replies": replies,
            "more": more,
        }

    def _json(self, page: int, comments: list[PublishedComment]) -> bytes:
        return self._head(page, self._url(page=page - 1) if page > 1 else None, comments)

    def _head(self, page: int, following: str | None, comments: list[PublishedComment]) -> bytes:
        """Return the object with its head. `page` is the head's last field, because an older page
        is served with the newest one's head (service/comments/pages.py).
        """
        thread = self.thread
        content: ThreadPage = {
            "thread": thread["key"],
            "title": thread["title"],
            "url": thread["url"],
            "state": thread["state"],
            "count": thread["count"],
            "revision": thread["revision"],
            "page": page,
            "next": following,
            "comments": comments,
        }
        return orjson.dumps(content)

    def _url(self, **query: str | int) -> str:
        asked = urlencode({"thread": self.thread["key"], **query})
        return f"/v1/sites/{self.site}/comments?{asked}"

    def _atom(self, comments: list[PublishedComment]) -> bytes:
        thread = self.thread
        return feed(
            self.site,
            thread["key"],
            comments,
            title=thread["title"],
            since=utc_stamp(thread["created_at"]) or "",
        )
