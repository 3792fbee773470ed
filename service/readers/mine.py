"""A reader's own comments on a site, across its threads: those of their receipts, and those that
they wrote while their identity was known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement
from typing_extensions import TypedDict

from models.mailing.outbox import forget_reader
from models.records import Comment, Edit, Reader, Report, Thread
from models.settling.actor import AUTHOR
from models.store.database import begin, now, reading
from models.store.receipts import receipt_of
from models.text.stamps import utc_stamp
from service.comments.receipts import ReceiptStatus, comment_of, read_receipts
from service.http.api_types import Id, Time, Url
from service.readers.reports import reporter_of

MOST_RECEIPTS = 200
MOST_SHOWN = 200  # comments of one answer; an export goes on to the oldest


class OwnText(TypedDict):
    """A text that the author sent, and when."""

    body: str
    at: Time


class OwnComment(ReceiptStatus):
    """A comment with everything that its author gave Greenroom, except for the email address."""

    receipt: str
    thread: str
    url: Url | None
    title: str | None
    parent: Id | None
    name: str
    website: Url | None
    posted_at: Time
    edits: list[OwnText]


class Asker(NamedTuple):
    """Whose comments are asked for on a site: those of the receipts and those of the reader."""

    site_id: int
    receipts: Sequence[str]
    reader_id: str | None


class OwnIds(NamedTuple):
    """Some of the reader's comments, the newest first. `next` leads to the older ones; it is None
    if there are none.
    """

    ids: list[str]
    next: str | None


def own_ids(session: Session, asker: Asker, before: str | None = None) -> OwnIds:
    """Return the ids of the comments that are older than `before`. Erased comments are left out. A
    receipt may be the address of its page, with a query.
    """
    named = {
        comment_of(receipt.partition("?")[0].rpartition("/")[2])
        for receipt in asker.receipts[:MOST_RECEIPTS]
    }
    theirs: ColumnElement[bool] = Comment.id.in_([id_ for id_ in named if id_])
    if asker.reader_id:
        theirs = theirs | (Comment.reader_id == asker.reader_id)
    wanted = select(Comment.id).where(
        theirs, Comment.site_id == asker.site_id, Comment.erased_at.is_(None)
    )
    if before is not None:
        wanted = wanted.where(Comment.id < before)
    found = list(session.scalars(wanted.order_by(Comment.id.desc()).limit(MOST_SHOWN + 1)))
    shown = found[:MOST_SHOWN]
    return OwnIds(shown, shown[-1] if len(found) > len(shown) else None)


def erase_reader(reader_id: str) -> None:
    """Erase what is known of a reader: the name, the address, keys, choices, mail, and the words of
    their reports, which still count.
    """
    with begin() as session:
        forget_reader(session, reader_id)
        site_id = select(Reader.site_id).where(Reader.id == reader_id).scalar_subquery()
        theirs = (Report.site_id == site_id) & (Report.reporter == reporter_of(reader_id))
        session.execute(update(Report).where(theirs).values(text="", reader_id=None))
        blank = {"name": "", "folded_name": "", "email": None, "email_index": "", "url": None}
        erased = update(Reader).where(Reader.id == reader_id)
        session.execute(erased.values(**blank, avatar=None, badges=None, erased_at=now()))


def all_own_comments(asker: Asker) -> Iterator[OwnComment]:
    """Yield every comment, the newest first. Each part is read in a transaction of its own."""
    before: str | None = None
    while True:
        with reading() as session:
            part = own_ids(session, asker, before)
            comments = own_comments(session, part.ids)
        yield from comments
        if part.next is None:
            return
        before = part.next


def own_comments(session: Session, ids: Sequence[str]) -> list[OwnComment]:
    rows = select(Comment, Thread.key, Thread.url, Thread.title)
    rows = rows.join(Thread, Thread.id == Comment.thread_id).where(Comment.id.in_(ids))
    found = {row[0].id: row for row in session.execute(rows)}
    edits, receipts = _edits(session, ids), read_receipts(session, ids)
    return [_own(found[id_], receipts[id_].answer, edits.get(id_, [])) for id_ in ids]


def _edits(session: Session, ids: Sequence[str]) -> dict[str, list[OwnText]]:
    wanted = select(Edit).where(Edit.comment_id.in_(ids), Edit.by == str(AUTHOR))
    found: dict[str, list[OwnText]] = {}
    for edit in session.scalars(wanted.order_by(Edit.id)):
        found.setdefault(edit.comment_id, []).append({"body": edit.body, "at": utc_stamp(edit.at)})
    return found


def _own(
    row: Row[Comment, str, str | None, str | None], status: ReceiptStatus, edits: list[OwnText]
) -> OwnComment:
    comment, key, url, title = row
    return {
        **status,
        "receipt": f"/v1/receipts/{receipt_of(comment.id)}",
        "thread": key,
        "url": url,
        "title": title,
        "parent": comment.parent_id,
        "name": comment.name,
        "website": comment.website,
        "posted_at": utc_stamp(comment.at),
        "edits": edits,
    }
