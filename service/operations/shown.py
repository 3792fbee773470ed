"""Published pages against the rows they were made of, thread by thread: all that is approved, and
nothing else.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row, String, bindparam, cast, select
from sqlalchemy.orm import Session, aliased

from models.records import Comment, Site, Thread
from models.store import storage
from models.store.database import reading
from models.store.storage import REPLIES_A_PAGE, TOPS_A_PAGE
from service.operations.violation import MEND, NOTHING, Violation, dashed

PAGES_AT_ONCE = 40
THREADS_AT_ONCE = 500
PAUSES = (
    0.5,
    2.0,
    5.0,
)  # before a thread that seems wrong is looked at again: it may be being published
Found = storage.Stored | storage.Damaged | None
Read = Callable[[Iterable[str]], Iterable[Found]]  # many at once, one for one
_ENTRY = re.compile(rb"urn:uuid:([0-9a-f-]{36})")


class Expected(NamedTuple):
    """What an object is to show: the text of each approved comment by its id."""

    name: str
    comments: dict[str, tuple[Any, ...]]
    is_page: bool = True


def threads() -> Iterator[Row[Any]]:
    """Every thread there is, a few hundred at a time, so that no transaction is long."""
    wanted = (
        select(Thread, Site.key.label("site"))
        .join(Site, Site.id == Thread.site_id)
        .order_by(Thread.id)
    )
    last = 0
    while True:
        with reading() as session:
            rows: Sequence[Any] = session.execute(
                wanted.where(Thread.id > last).limit(THREADS_AT_ONCE)
            ).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].Thread.id


def examine(thread_id: int, read: Read) -> list[Violation]:
    """What is wrong with a thread and with its pages; what is owed may be behind, and is another
    rule's business.
    """
    found = _examine(thread_id, read)
    for pause in PAUSES:
        if not found:
            break
        time.sleep(pause)
        found = _examine(thread_id, read)
    return found


def _examine(thread_id: int, read: Read) -> list[Violation]:
    with reading(of_one_moment=True) as session:
        row = session.execute(_THREAD, {"thread": thread_id}).one()
        look = _Look(row.Thread, row.site, read)
        for first in range(0, max(1, row.Thread.places), PAGES_AT_ONCE * TOPS_A_PAGE):
            look.at_pages(session, first)
        look.at_head()
    return look.found


_THREAD = select(Thread, Site.key.label("site")).join(Site, Site.id == Thread.site_id)
_THREAD = _THREAD.where(Thread.id == bindparam("thread"))
# As text: to make a UUID of each would take longer than all the rest. Content is fetched to be
# compared.
_SHOWN: Any = (
    Comment.status,
    Comment.place,
    Comment.places,
    Comment.name,
    Comment.website,
    Comment.html,
)
_SHOWN = (
    cast(Comment.id, String(36)).label("id"),
    cast(Comment.top_id, String(36)).label("top"),
    *_SHOWN,
)
_BETWEEN = Comment.place.between(bindparam("first"), bindparam("last"))
_TOPS: Any = select(*_SHOWN).where(
    Comment.thread_id == bindparam("thread"), Comment.parent_id.is_(None), _BETWEEN
)
_TOPS = _TOPS.order_by(Comment.place)
_TOP = aliased(Comment)
_OF_THESE = _TOP.place.between(bindparam("first"), bindparam("last")) & _TOP.parent_id.is_(None)
_REPLIES: Any = (
    select(*_SHOWN).join(_TOP, _TOP.id == Comment.top_id).where(Comment.parent_id.is_not(None))
)
_REPLIES = _REPLIES.where(_TOP.thread_id == bindparam("thread"), _OF_THESE)
_REPLIES = _REPLIES.where(Comment.place.is_not(None)).order_by(Comment.top_id, Comment.place)


@dataclass
class _Look:
    """One look at one thread, in one transaction: memory is what forty pages take, however long the
    thread.
    """

    thread: Thread
    site: str
    read: Read
    found: list[Violation] = field(default_factory=list)
    approved: int = 0
    tops: int = 0
    newest: Expected | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its pages are to show what the rows say, now."""
        thread = self.thread
        return (
            thread.publish_due is None
            and thread.revision == thread.published_revision
            and thread.revision > 0
        )

    def at_pages(self, session: Session, first: int) -> None:
        within = {
            "thread": self.thread.id,
            "first": first,
            "last": first + PAGES_AT_ONCE * TOPS_A_PAGE - 1,
        }
        tops = session.execute(_TOPS, within).all()
        answers: dict[str, list[Row[Any]]] = defaultdict(list)
        if any(top.places for top in tops):
            for row in session.execute(_REPLIES, within).all():
                answers[row.top].append(row)
        self._count(tops, answers, first)
        objects = self._expected(tops, answers)
        if self.is_settled:
            for expected, stored in zip(
                objects, self._read(item.name for item in objects), strict=True
            ):
                self._compare(expected, stored)

    def _count(
        self, tops: Sequence[Row[Any]], answers: dict[str, list[Row[Any]]], first: int
    ) -> None:
        """Places run from 0 without a gap, among the thread's top comments as among a top comment's
        replies.
        """
        self.tops += len(tops)
        if [top.place for top in tops] != list(range(first, first + len(tops))):
            self._wrong(
                "places", "the places of its top comments have a gap, or two have the same", NOTHING
            )
        for top in tops:
            if [row.place for row in answers.get(top.id, ())] != list(range(top.places)):
                self._wrong(
                    "places",
                    f"the places of the replies to {dashed(top.id)} are not {top.places}",
                    NOTHING,
                )

    def _expected(
        self, tops: Sequence[Row[Any]], answers: dict[str, list[Row[Any]]]
    ) -> list[Expected]:
        pages: dict[int, dict[str, tuple[Any, ...]]] = {}
        more: dict[tuple[str, int], dict[str, tuple[Any, ...]]] = {}
        for top in tops:
            page = pages.setdefault(top.place // TOPS_A_PAGE + 1, {})
            for row in (top, *answers.get(top.id, ())):
                chunk = 0 if row is top else row.place // REPLIES_A_PAGE
                into = page if chunk == 0 else more.setdefault((dashed(top.id), chunk), {})
                if row.status == "approved":
                    into[dashed(row.id)] = (row.name, row.website, row.html)
        self.approved += sum(map(len, (*pages.values(), *more.values())))
        objects = [
            Expected(storage.page_name(*self._key, page), shown) for page, shown in pages.items()
        ]
        objects += [
            Expected(storage.replies_name(*self._key, *place), shown, False)
            for place, shown in more.items()
        ]
        standing = self._continued(tops, more)
        alive = [page for page, shown in pages.items() if shown or page in standing]
        if alive or self.newest is None:
            first = max(alive, default=1)
            self.newest = Expected(storage.newest_name(*self._key), pages.get(first, {}))
        return objects

    def _continued(self, tops: Sequence[Row[Any]], more: dict[tuple[str, int], Any]) -> set[int]:
        """Pages on which something stands for its answers elsewhere alone."""
        answered = {top for (top, _), shown in more.items() if shown}
        return (
            {top.place // TOPS_A_PAGE + 1 for top in tops if dashed(top.id) in answered}
            if answered
            else set()
        )

    @property
    def _key(self) -> tuple[str, str]:
        return self.site, self.thread.key

    def _read(self, names: Iterable[str]) -> Iterable[Found]:
        return self.read(names)

    def _compare(self, expected: Expected, stored: Found) -> dict[str, Any] | None:
        """The object as it is shown, if it could be read."""
        where = expected.name.rpartition("/")[2]
        if stored is None:
            self._wrong("on its page", f"its page {where} is missing")
            return None
        if isinstance(stored, storage.Damaged):
            self._wrong("readable", f"its page {stored}")
            return None
        page: dict[str, Any] = orjson.loads(stored.content)
        shown = {comment["id"]: comment for comment in _flat(page["comments"]) if comment["id"]}
        for id_ in expected.comments.keys() - shown.keys():
            self._wrong("on its page", f"comment {id_} is approved, but not on {where}")
        for id_ in shown.keys() - expected.comments.keys():
            self._wrong("on its page", f"comment {id_} is on {where}, but not approved there")
        for id_ in shown.keys() & expected.comments.keys():
            if (
                tuple(shown[id_][name] for name in ("name", "website", "html"))
                != expected.comments[id_]
            ):
                self._wrong("as written", f"comment {id_} reads otherwise on {where}")
        if expected.is_page and len(page["comments"]) > TOPS_A_PAGE:
            self._wrong("25 a page", f"{where} shows {len(page['comments'])} top comments")
        return page

    def at_head(self) -> None:
        """What concerns the whole thread: its counts, the page readers see first, the feed."""
        thread = self.thread
        if self.approved != thread.count:
            self._wrong(
                "counts",
                f"{self.approved} comments are approved, but it counts {thread.count}",
                MEND,
            )
        if self.tops != thread.places:
            self._wrong(
                "places",
                f"{self.tops} top comments have a place, but it counts {thread.places}",
                NOTHING,
            )
        if not self.is_settled or self.newest is None:
            return
        newest, feed = self._read((self.newest.name, storage.feed_name(*self._key)))
        page = self._compare(self.newest, newest)
        said = {
            name: getattr(thread, name) for name in ("title", "url", "state", "count", "revision")
        }
        for name in said if page else ():
            if page and page[name] != said[name]:
                self._wrong(
                    "head", f"its pages say {name} {page[name]!r}, but it is {said[name]!r}"
                )
        if isinstance(feed, storage.Damaged):
            self._wrong("readable", f"its feed {feed}")
            return
        told = {id_.decode() for id_ in _ENTRY.findall(feed.content)} if feed else None
        if told != self.newest.comments.keys():
            self._wrong("feed", "its feed does not show what its newest page shows")

    def _wrong(self, rule: str, words: str, command: str = "") -> None:
        about = f"{words} ({self.site} {self.thread.key})"
        mended_by = command or f"greenroom publish {self.thread.id}"
        self.found.append(Violation(rule, "thread", str(self.thread.id), about, mended_by))


def _flat(comments: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for comment in comments:
        yield comment
        if comment["replies"]:
            yield from _flat(comment["replies"])
