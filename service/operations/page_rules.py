"""Compare published pages with the database: they show every approved comment and nothing else."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Integer, Row, Select, String, bindparam, cast, select
from sqlalchemy.orm import Session, aliased

from models.records import Comment, Site, Thread
from models.store import storage
from models.store.database import reading
from models.store.published import PublishedComment, ThreadPage
from models.store.storage import REPLIES_A_PAGE, TOPS_A_PAGE
from service.comments.pages import page_of
from service.operations.violation import MEND, NOTHING, Violation, dashed

PAGES_AT_ONCE = 40
THREADS_AT_ONCE = 500
PAUSES = (0.5, 2.0, 5.0)  # seconds before a second look: a publisher may be at work
Found = storage.Stored | storage.Damaged | None
Read = Callable[[Iterable[str]], Iterable[Found]]  # many objects at once, in order
_ENTRY = re.compile(rb"urn:uuid:([0-9a-f-]{36})")


class Text(NamedTuple):
    """What readers see of a comment."""

    name: str
    website: str | None
    html: str | None


class Expected(NamedTuple):
    """What a stored object must show: each approved comment by its id."""

    name: str
    comments: dict[str, Text]
    is_page: bool = True


# The id, the id of its top-level comment, status, place, places, name, website, html.
CommentRow = Row[str, str, str, int | None, int, str, str | None, str | None]
Texts = dict[str, Text]
Chunk = tuple[str, int]  # replies that do not fit on the page: a top-level comment and a number


def threads() -> Iterator[Row[Thread, str]]:
    """Every thread with its site's key, a few hundred at a time, so that no transaction is long."""
    in_order = (
        select(Thread, Site.key.label("site"))
        .join(Site, Site.id == Thread.site_id)
        .order_by(Thread.id)
    )
    last = 0
    while True:
        with reading() as session:
            rows = session.execute(in_order.where(Thread.id > last).limit(THREADS_AT_ONCE)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].Thread.id


def examine(thread_id: int, read: Read) -> list[Violation]:
    """Return what is wrong with a thread and with its pages. Pages that are due to be published may
    be behind; another rule checks those.
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


def _comments() -> Select[str, str, str, int | None, int, str, str | None, str | None]:
    # The ids as text, because making a UUID of each would take longer than everything else.
    return select(
        cast(Comment.id, String(36)).label("id"),
        cast(Comment.top_id, String(36)).label("top"),
        Comment.status,
        Comment.place,
        Comment.places,
        Comment.name,
        Comment.website,
        Comment.html,
    )


_FIRST, _LAST = bindparam("first", type_=Integer), bindparam("last", type_=Integer)
_TOPS = (
    _comments()
    .where(Comment.thread_id == bindparam("thread"), Comment.parent_id.is_(None))
    .where(Comment.place.between(_FIRST, _LAST))
    .order_by(Comment.place)
)
_TOP = aliased(Comment)
_REPLIES = (
    _comments()
    .join(_TOP, _TOP.id == Comment.top_id)
    .where(Comment.parent_id.is_not(None), Comment.place.is_not(None))
    .where(_TOP.thread_id == bindparam("thread"), _TOP.parent_id.is_(None))
    .where(_TOP.place.between(_FIRST, _LAST))
    .order_by(Comment.top_id, Comment.place)
)


@dataclass
class _Look:
    """One look at one thread, in one transaction. It uses the memory of forty pages, however long
    the thread.
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
        """Whether the pages must already show the rows' state."""
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
        answers: dict[str, list[CommentRow]] = defaultdict(list)
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
        self, tops: Sequence[CommentRow], answers: dict[str, list[CommentRow]], first: int
    ) -> None:
        """Check that places are numbered from 0 without gaps, among the thread's top-level
        comments and among each one's replies.
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
        self, tops: Sequence[CommentRow], answers: dict[str, list[CommentRow]]
    ) -> list[Expected]:
        pages: dict[int, Texts] = {}
        more: dict[Chunk, Texts] = {}
        for top in tops:
            page = pages.setdefault(_place(top) // TOPS_A_PAGE + 1, {})
            for row in (top, *answers.get(top.id, ())):
                chunk = 0 if row is top else _place(row) // REPLIES_A_PAGE
                into = page if chunk == 0 else more.setdefault((dashed(top.id), chunk), {})
                if row.status == "approved":
                    into[dashed(row.id)] = Text(row.name, row.website, row.html)
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

    def _continued(self, tops: Sequence[CommentRow], more: Mapping[Chunk, Texts]) -> set[int]:
        """Return the pages with removed comments that stay only for replies in other objects."""
        answered = {top for (top, _), shown in more.items() if shown}
        return (
            {_place(top) // TOPS_A_PAGE + 1 for top in tops if dashed(top.id) in answered}
            if answered
            else set()
        )

    @property
    def _key(self) -> tuple[str, str]:
        return self.site, self.thread.key

    def _read(self, names: Iterable[str]) -> Iterable[Found]:
        return self.read(names)

    def _compare(self, expected: Expected, stored: Found) -> ThreadPage | None:
        """Compare the stored page, if it can be read."""
        where = expected.name.rpartition("/")[2]
        if stored is None:
            self._wrong("on its page", f"its page {where} is missing")
            return None
        if isinstance(stored, storage.Damaged):
            self._wrong("readable", f"its page {stored}")
            return None
        page = page_of(stored)
        shown = _texts(page["comments"])
        for id_ in expected.comments.keys() - shown.keys():
            self._wrong("on its page", f"comment {id_} is approved, but not on {where}")
        for id_ in shown.keys() - expected.comments.keys():
            self._wrong("on its page", f"comment {id_} is on {where}, but not approved there")
        for id_ in shown.keys() & expected.comments.keys():
            if shown[id_] != expected.comments[id_]:
                self._wrong("as written", f"comment {id_} has a different text on {where}")
        if expected.is_page and len(page["comments"]) > TOPS_A_PAGE:
            self._wrong("25 a page", f"{where} shows {len(page['comments'])} top comments")
        return page

    def at_head(self) -> None:
        """Check what concerns the whole thread: its counts, the page readers see first, the
        feed.
        """
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
        if page is not None:
            self._compare_head(page)
        if isinstance(feed, storage.Damaged):
            self._wrong("readable", f"its feed {feed}")
            return
        told = {id_.decode() for id_ in _ENTRY.findall(feed.content)} if feed else None
        if told != self.newest.comments.keys():
            self._wrong("feed", "its feed does not show what its newest page shows")

    def _compare_head(self, page: ThreadPage) -> None:
        thread = self.thread
        pairs = {
            "title": (page["title"], thread.title),
            "url": (page["url"], thread.url),
            "state": (page["state"], thread.state),
            "count": (page["count"], thread.count),
            "revision": (page["revision"], thread.revision),
        }
        for name, (shown, stored) in pairs.items():
            if shown != stored:
                self._wrong("head", f"its pages say {name} {shown!r}, but it is {stored!r}")

    def _wrong(self, rule: str, words: str, command: str = "") -> None:
        about = f"{words} ({self.site} {self.thread.key})"
        mended_by = command or f"greenroom publish {self.thread.id}"
        self.found.append(Violation(rule, "thread", str(self.thread.id), about, mended_by))


def _place(row: CommentRow) -> int:
    """Return the place; both queries select only comments that have one."""
    place: int | None = row.place
    assert place is not None
    return place


def _texts(comments: Sequence[PublishedComment]) -> Texts:
    """Return every comment on the page that is not removed, including the replies below it."""
    found: Texts = {}
    for comment in comments:
        if comment["id"]:
            found[comment["id"]] = Text(comment["name"], comment["website"], comment["html"])
        found |= _texts(comment["replies"])
    return found
