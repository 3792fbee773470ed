"""A new comment on a thread that readers follow: one mail for each of them.

Settling owes a single mail without a reader, whatever the number of followers. Here it becomes
their mails, a few hundred in each transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.records import Comment, Follow, Mail
from models.store.database import begin, insert_new, reading
from worker.mail.rounds import Due, Result

AT_ONCE = 500
# New comments on a thread within this time go together in one mail.
TOGETHER_SECONDS = 300
FIRST = "00000000-0000-0000-0000-000000000000"  # sorts before every id


def is_for_followers(mail: Due) -> bool:
    return mail.kind == "thread" and mail.reader_id is None


def tell_followers(mail: Due, at: datetime) -> Result:
    """Owe a mail to each follower, except the comment's author and the reader whom it answers. It
    is harmless to do this twice, because nobody is owed the same mail twice.
    """
    with reading() as session:
        comment = session.get(Comment, mail.comment_id)
        if comment is None or comment.status != "approved":
            return Result(mail, "cancelled", at)
        parent = session.get(Comment, comment.parent_id) if comment.parent_id else None
    but = {comment.reader_id, parent.reader_id if parent else None}
    last = FIRST
    while True:
        with begin(synced=False) as session:
            followers = _followers(session, comment.thread_id, last)
            wanted = [reader for reader in followers if reader not in but]
            if wanted:
                rows = [_row(mail, reader, at) for reader in wanted]
                session.connection().execute(insert_new(Mail), rows)
        if len(followers) < AT_ONCE:
            return Result(mail, "sent", at)
        last = followers[-1]


def _followers(session: Session, thread_id: int, last: str) -> Sequence[str]:
    wanted = select(Follow.reader_id).where(Follow.thread_id == thread_id, Follow.reader_id > last)
    return session.scalars(wanted.order_by(Follow.reader_id).limit(AT_ONCE)).all()


def _row(mail: Due, reader_id: str, at: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "site_id": mail.site_id,
        "kind": "thread",
        "address": None,
        "address_index": "",
        "reader_id": reader_id,
        "comment_id": mail.comment_id,
        "data": {},
        "once": f"thread:{mail.comment_id}:{reader_id}",
        "is_daily": False,
        "state": "owed",
        "due": _together(at),
        "attempts": 0,
        "created_at": at,
    }


def _together(at: datetime) -> datetime:
    """Return the next moment at which mails about threads go out."""
    past = at.timestamp() % TOGETHER_SECONDS
    return at + timedelta(seconds=TOGETHER_SECONDS - past)
