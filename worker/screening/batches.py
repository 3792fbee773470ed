"""Note the start of each screening in the database, so that a batch that ended its process can be
found.

A comment that another process began to screen and did not finish is a suspect, and is screened
alone (`isolation.py`). The note is not synced to disk: a power cut is not a comment's fault.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from models.identifiers import new_id
from models.records import Comment
from models.store.database import Moment, begin, now, reading
from worker.screening.waiting import Waiting, waiting

SILENT = timedelta(
    seconds=15
)  # longer than a batch takes; a worker that ended and started again is quicker


class Batch(NamedTuple):
    """Which comments to screen together, and which each alone. Comments that another worker may be
    screening right now are in neither; the sweep rings for them again.
    """

    ready: list[Waiting]
    suspects: list[str]


def take(comment_ids: Sequence[str]) -> Batch:
    """Load the comments that are due for screening, and note in the same transaction that this
    process begins to screen them.
    """
    at = now()
    with begin(synced=False) as session:
        taken = {"ids": list(comment_ids), "me": name_of(os.getpid()), "since": at}
        noted = session.connection().execute(_TAKE, taken).scalars().all()
        ready = waiting(session, noted) if noted else []
    left = set(comment_ids).difference(each.id for each in ready)
    return Batch(ready, _suspects(left, at) if left else [])


def _suspects(comment_ids: set[str], at: datetime) -> list[str]:
    with reading() as session:
        begun = session.execute(
            _OWED.where(Comment.id.in_(comment_ids), Comment.screening_since < at - SILENT)
        )
        return list(begun.scalars())


def give_back(comment_id: str) -> None:
    """Note that this process could not screen the comment, for a reason that is not the comment's
    fault. It stays due for any worker.
    """
    with begin(synced=False) as session:
        given = update(Comment).where(Comment.id == comment_id, Comment.screen_due.is_not(None))
        session.execute(given.values(screening_by=None))


def unfinished() -> list[str]:
    """Return the comments that an earlier process of this host began to screen, for a worker that
    starts. If two workers share a host, one may screen the other's comments a second time, which
    does no harm.
    """
    ours = Comment.screening_by.startswith(f"{_host()}:", autoescape=True)
    with reading() as session:
        return list(
            session.execute(
                _OWED.where(ours, Comment.screening_by != name_of(os.getpid()))
            ).scalars()
        )


@cache
def name_of(_pid: int) -> str:
    """Return a name for this process that no other process has."""
    return f"{_host()}:{new_id()}"


def _host() -> str:
    return socket.gethostname()[:40]


_OWED = (
    select(Comment.id)
    .where(Comment.screen_due.is_not(None), Comment.screening_by.is_not(None))
    .order_by(Comment.id)
)
_FREE = Comment.screening_by.is_(None) | (Comment.screening_by == bindparam("me"))
_ASKED = (
    select(Comment.id)
    .where(Comment.id.in_(bindparam("ids", expanding=True)), Comment.screen_due.is_not(None), _FREE)
    .order_by(Comment.id)
)
_TAKE = (
    update(Comment.__table__)  # type: ignore[arg-type]
    .where(Comment.id.in_(select(_ASKED.with_for_update(key_share=True).cte("asked").c.id)))
    .values(screening_by=bindparam("me"), screening_since=bindparam("since", type_=Moment))
    .returning(Comment.id)
)
