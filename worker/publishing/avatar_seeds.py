"""Replace avatar seeds that an earlier release made from the email address, a few with every sweep.

Each comment is marked when it is done, so this can stop at any moment, and several workers can do
it at the same time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from models.avatars import FROM_NAME, avatar_of
from models.failpoints import failpoint
from models.records import Comment, Thread
from models.store.database import Base, begin, reading

THREADS_AT_ONCE = 4
COMMENTS_AT_ONCE = 200  # of one thread, so that its changed pages are written only once
MOST_OWED = 20  # threads due to be published; if more are due, they matter more
OVERDUE = timedelta(seconds=3)


def redraw_avatars(at: datetime) -> int:
    """Replace some seeds and return how many. The pages that show them are then due to be
    published.
    """
    return sum(_redraw(thread_id, at) for thread_id in _threads(at))


def _threads(at: datetime) -> list[int]:
    with reading() as session:
        if not session.execute(select(Comment.id).where(_IS_OLD).limit(1)).first():
            return []
        owed = select(func.count()).where(Thread.publish_due < at - OVERDUE)
        if session.execute(owed).scalar_one() > MOST_OWED:
            return []
        return list(
            session.scalars(
                select(Comment.thread_id).where(_IS_OLD).distinct().limit(THREADS_AT_ONCE)
            )
        )


def _redraw(thread_id: int, at: datetime) -> int:
    columns = (Comment.id, Comment.name, Comment.status, Comment.erased_at)
    old = select(*columns).where(_IS_OLD, Comment.thread_id == thread_id).order_by(Comment.id)
    # Comments are locked before their thread, as in every transaction. A comment that is being
    # decided is left for the next time.
    old = old.limit(COMMENTS_AT_ONCE).with_for_update(key_share=True, skip_locked=True)
    with begin(synced=False) as session:
        rows = session.execute(old).all()
        drawn = {row.id: "" if row.erased_at else avatar_of(row.name, thread_id) for row in rows}
        shown = [row.id for row in rows if row.status == "approved"]
        if shown:
            _owe_pages(session, thread_id, shown, at)
        if drawn:
            new = [{"its_id": id_, "new_avatar": avatar} for id_, avatar in drawn.items()]
            session.connection().execute(_REDRAW, new)
    failpoint("redrawn")
    return len(drawn)


def _owe_pages(session: Session, thread_id: int, comment_ids: list[str], at: datetime) -> None:
    moved = (
        update(Thread)
        .where(Thread.id == thread_id)
        .values(revision=Thread.revision + 1, publish_due=at)
    )
    revision = session.execute(moved.returning(Thread.revision)).scalar_one()
    session.execute(update(Comment).where(Comment.id.in_(comment_ids)).values(revision=revision))


_IS_OLD = Comment.avatar_from.is_(None)
_TABLE = Base.metadata.tables["comments"]
_REDRAW = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("its_id"))
    .values(avatar=bindparam("new_avatar"), avatar_from=FROM_NAME)
)
