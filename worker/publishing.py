"""Write the changed pages of a thread to storage: one publisher a thread at a time, never older over newer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree

import orjson
import structlog
from sqlalchemy import Row, bindparam, case, func, select, update
from sqlalchemy.orm import Session, aliased

from models import storage
from models.database import Moment, begin, now, reading
from models.identifiers import new_id
from models.moderation import REPLIES_A_PAGE, TOPS_A_PAGE
from models.records import Comment, Site, Thread
from models.settings import settings

LEASE_SECONDS = 60  # outlasts the time-outs of the puts it covers
ATOM = "http://www.w3.org/2005/Atom"
log = structlog.get_logger()


class Object(NamedTuple):
    name: str
    content: bytes
    content_type: str = "application/json"


class Snapshot(NamedTuple):
    """What storage is to show: the objects that changed since the revision published last."""

    revision: int
    objects: list[Object]


def publish_threads(thread_ids: Sequence[int]) -> int:
    """Bring storage up to these threads' revisions; how many were claimed.

    What another publisher holds is left to it: it will see the newer revision and go on.
    """
    lease = new_id()
    claimed = _claim(thread_ids, lease)
    count = len(claimed)
    while claimed:
        shown = {thread_id: _show(thread_id, since) for thread_id, since in claimed.items()}
        claimed = _hand_in(lease, claimed, shown)
    return count


def _show(thread_id: int, since: int) -> int | None:
    """Put the changed pages; the revision that storage shows now, or None where it would not take them."""
    try:
        with reading() as session:
            snapshot = _snapshot(session, thread_id, since)
        for item in snapshot.objects:
            storage.put(*item)
    except Exception as error:  # one thread's storage must not hold up the others; it stays owed, and sweep rings again
        log.exception("publishing.failed", thread=thread_id, exc_info=error)
        return None
    return snapshot.revision


def _claim(thread_ids: Sequence[int], lease: str) -> dict[int, int]:
    """Lease what is owed; the revision published last, by thread."""
    at = now()
    with begin() as session:
        until = at + timedelta(seconds=LEASE_SECONDS)
        rows = session.execute(_CLAIM, {"ids": thread_ids, "at": at, "new_lease": lease, "until": until})
        return {row.id: row.published_revision for row in rows}


def _hand_in(lease: str, since: Mapping[int, int], shown: Mapping[int, int | None]) -> dict[int, int]:
    """Record what storage shows now. Those that moved on meanwhile are kept, by the revision they were shown at."""
    again: dict[int, int] = {}
    with begin() as session:
        for thread_id, revision in sorted(shown.items()):
            if revision is None:
                mine = update(Thread).where(Thread.id == thread_id, Thread.lease == lease)
                session.execute(mine.values(lease=None, lease_until=None))
                continue
            until = now() + timedelta(seconds=LEASE_SECONDS)
            done = {"thread": thread_id, "held": lease, "shown": revision, "until": until}
            current = session.execute(_HAND_IN, done).scalar()
            if current is None:
                _owe_again(session, thread_id, since[thread_id])
            elif current != revision:
                again[thread_id] = revision
    return again


def _owe_again(session: Session, thread_id: int, since: int) -> None:
    """We stalled past our lease and may have put older pages over newer ones, so these are owed once more."""
    oldest = case((Thread.published_revision < since, Thread.published_revision), else_=since)
    owed = update(Thread).where(Thread.id == thread_id).values(published_revision=oldest, publish_due=now())
    session.execute(owed)
    log.warning("publishing.lease_lost", thread=thread_id, revision=since)


_FREE = Thread.lease_until.is_(None) | (Thread.lease_until < bindparam("at"))
_CLAIM = (
    update(Thread)
    .where(Thread.id.in_(bindparam("ids", expanding=True)), Thread.publish_due.is_not(None), _FREE)
    .values(lease=bindparam("new_lease"), lease_until=bindparam("until"))
    .returning(Thread.id, Thread.published_revision)
    .execution_options(synchronize_session=False)
)
_IS_DONE = Thread.revision == bindparam("shown")
_HAND_IN = (
    update(Thread)
    .where(Thread.id == bindparam("thread"), Thread.lease == bindparam("held"))
    .values(
        published_revision=bindparam("shown"),
        publish_due=case((_IS_DONE, None), else_=Thread.publish_due),
        lease=case((_IS_DONE, None), else_=Thread.lease),
        lease_until=case((_IS_DONE, None), else_=bindparam("until", type_=Moment)),
    )
    .returning(Thread.revision)
    .execution_options(synchronize_session=False)
)


def _snapshot(session: Session, thread_id: int, since: int) -> Snapshot:
    wanted = select(Thread, Site.key.label("site")).join(Site, Site.id == Thread.site_id)
    thread, site = session.execute(wanted.where(Thread.id == thread_id)).one()
    return _Writer(session, thread, site).snapshot(since)


class _Writer:
    """Builds a thread's objects from its comments. Costs what the changed pages cost, however long the thread."""

    def __init__(self, session: Session, thread: Thread, site: str) -> None:
        self.session, self.thread, self.site = session, thread, site

    def snapshot(self, since: int) -> Snapshot:
        pages, continued = self._changed(since)
        newest = max(1, -(-self.thread.places // TOPS_A_PAGE))
        shown = newest
        while (comments := self.page(shown)) == [] and shown > 1:
            shown -= 1  # all of its members were taken down again: readers begin at the one before
        built = {shown: comments} | {page: self.page(page) for page in pages - {shown}}
        objects = [Object(storage.page_name(*self.key, page), self._json(page, built[page])) for page in built]
        for top, page in continued:
            objects.append(Object(storage.replies_name(*self.key, top, page), self.replies(top, page)))
        objects.append(Object(storage.feed_name(*self.key), self._atom(built[shown]), "application/atom+xml"))
        objects.append(Object(storage.newest_name(*self.key), self._json(shown, built[shown])))  # last: it leads there
        return Snapshot(self.thread.revision, objects)

    @property
    def key(self) -> tuple[str, str]:
        return self.site, self.thread.key

    def _changed(self, since: int) -> tuple[set[int], set[tuple[str, int]]]:
        """Pages of top comments, and continued replies, with a comment that changed after that revision."""
        top = aliased(Comment)
        wanted = select(Comment.parent_id, Comment.top_id, Comment.place, top.place.label("top_place"))
        wanted = wanted.join(top, top.id == Comment.top_id)
        changed = wanted.where(Comment.thread_id == self.thread.id, Comment.revision > since)
        pages, continued = set(), set()
        for row in self.session.execute(changed):
            chunk = 0 if row.parent_id is None else row.place // REPLIES_A_PAGE
            # The page before is written too: the first reply of a new one puts a link there.
            continued |= {(row.top_id, number) for number in (chunk, chunk - 1) if number > 0}
            if chunk <= 1:
                pages.add(row.top_place // TOPS_A_PAGE + 1)
        return pages, continued

    def page(self, number: int) -> list[dict[str, Any]]:
        """The top comments of a page, newest first, each with its replies, oldest first."""
        first = (number - 1) * TOPS_A_PAGE
        of_page = Comment.place.between(first, first + TOPS_A_PAGE - 1)
        is_top = (Comment.thread_id == self.thread.id) & Comment.parent_id.is_(None)
        tops = self._rows(is_top & of_page)
        replies = self._rows(
            Comment.top_id.in_([top.id for top in tops if top.places])
            & Comment.parent_id.is_not(None)
            & (Comment.place < REPLIES_A_PAGE)
        )
        return self._forest([*tops, *replies])[::-1]

    def replies(self, top: str, number: int) -> bytes:
        """Replies that found no room under their top comment, oldest first."""
        first = number * REPLIES_A_PAGE
        of_top = (Comment.top_id == top) & Comment.parent_id.is_not(None)
        rows = self._rows(of_top & Comment.place.between(first, first + REPLIES_A_PAGE - 1))
        total = self.session.execute(select(Comment.places).where(Comment.id == top)).scalar_one()
        is_more = total > first + REPLIES_A_PAGE
        following = self._url(replies=top, page=number + 1) if is_more else None
        return self._head(number, following, self._forest(rows))

    def _rows(self, which: Any) -> Sequence[Row[Any]]:
        columns: list[Any] = [Comment.id, Comment.parent_id, Comment.status, Comment.name, Comment.website]
        columns += [Comment.html, Comment.at, Comment.edited_at, Comment.avatar, Comment.places]
        return self.session.execute(select(*columns).where(which).order_by(Comment.id)).all()

    def _forest(self, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
        """Comments under the ones they answer. One that is gone stays as an empty place while something answers it."""
        present, children = {row.id for row in rows}, defaultdict(list)
        for row in rows:
            children[row.parent_id if row.parent_id in present else None].append(row)
        built: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
        for row in reversed(rows):  # an answer is younger than what it answers, so leaves come first
            replies = built[row.id][::-1]
            if row.status == "approved" or replies:
                built[row.parent_id if row.parent_id in present else None].append(self._shape(row, replies))
        return built[None][::-1]

    def _shape(self, row: Row[Any], replies: list[dict[str, Any]]) -> dict[str, Any]:
        more = self._url(replies=row.id, page=1) if row.places > REPLIES_A_PAGE else None
        if row.status != "approved":
            gone: dict[str, Any] = {"id": None, "parent": row.parent_id, "name": "", "website": None, "html": ""}
            return (
                gone
                | {"at": _when(row.at), "edited_at": None, "avatar": "", "removed": True}
                | {
                    "replies": replies,
                    "more": more,
                }
            )
        return {
            "id": row.id,
            "parent": row.parent_id,
            "name": row.name,
            "website": row.website,
            "html": row.html,
            "at": _when(row.at),
            "edited_at": _when(row.edited_at),
            "avatar": row.avatar,
            "replies": replies,
            "more": more,
        }

    def _json(self, page: int, comments: list[dict[str, Any]]) -> bytes:
        return self._head(page, self._url(page=page - 1) if page > 1 else None, comments)

    def _head(self, page: int, following: str | None, comments: list[dict[str, Any]]) -> bytes:
        """`page` ends the head: an older page is served behind the newest one's (service/threads.py)."""
        thread = self.thread
        head: dict[str, Any] = {"thread": thread.key, "title": thread.title, "url": thread.url, "state": thread.state}
        head |= {"count": thread.count, "revision": thread.revision}
        return orjson.dumps({**head, "page": page, "next": following, "comments": comments})

    def _url(self, **query: Any) -> str:
        return f"/v1/sites/{self.site}/comments?{urlencode({'thread': self.thread.key, **query})}"

    def _atom(self, comments: list[dict[str, Any]]) -> bytes:
        """RFC 4287, of the page readers see first."""
        feed = ElementTree.Element("feed", xmlns=ATOM)
        address = f"{settings().base_url}/sites/{self.site}/thread.atom?{urlencode({'thread': self.thread.key})}"
        entries = sorted(_flat(comments), key=lambda comment: str(comment["id"]), reverse=True)
        _leaf(feed, "id", address)
        _leaf(feed, "title", self.thread.title or self.thread.key)
        _leaf(feed, "updated", entries[0]["at"] if entries else _when(self.thread.created_at))
        ElementTree.SubElement(feed, "link", rel="self", href=address)
        for comment in entries:
            entry = ElementTree.SubElement(feed, "entry")
            _leaf(entry, "id", f"urn:uuid:{comment['id']}")
            _leaf(entry, "title", comment["name"])
            _leaf(entry, "updated", comment["edited_at"] or comment["at"])
            _leaf(ElementTree.SubElement(entry, "author"), "name", comment["name"])
            ElementTree.SubElement(entry, "link", href=f"{settings().base_url}/sites/{self.site}/c/{comment['id']}")
            _leaf(entry, "content", comment["html"]).set("type", "html")
        content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
        return content


def _flat(comments: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for comment in comments:
        if comment["id"]:
            yield comment
        yield from _flat(comment["replies"])


def _leaf(parent: ElementTree.Element, name: str, text: str | None) -> ElementTree.Element:
    leaf = ElementTree.SubElement(parent, name)
    leaf.text = text
    return leaf


def _when(moment: Any) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def overdue_threads(session: Session, before: Any, *, most: int) -> list[int]:
    """Threads whose publishing has been owed since before that time."""
    wanted = select(Thread.id).where(Thread.publish_due < before).order_by(Thread.publish_due).limit(most)
    return list(session.execute(wanted).scalars())


def publish_lag_seconds(session: Session) -> float:
    """How long the longest-waiting thread has waited to be published."""
    oldest = session.execute(select(func.min(Thread.publish_due))).scalar()
    return max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0
