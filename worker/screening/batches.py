"""The start of each screening is a note in the database, so that a batch which ended its process is
known.

A comment that another process began to screen and did not finish is a suspect: it is screened alone
(`isolation.py`). The note is not synced to disk: no power cut is a comment's fault.
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
)  # longer than a batch takes; a worker that was ended and began again is quicker


class Batch(NamedTuple):
    """Which comments to screen together, and which each alone. Comments that another worker may
    just be screening are in neither: the sweep rings for them again.
    """

    ready: list[Waiting]
    suspects: list[str]


def take(comment_ids: Sequence[str]) -> Batch:
    """Note that this process begins to screen them, those that are owed a screening, and load them
    in the same transaction.
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
    """Note that this process could not screen it, by no fault of the comment. It stays owed, and
    any other takes it.
    """
    with begin(synced=False) as session:
        given = update(Comment).where(Comment.id == comment_id, Comment.screen_due.is_not(None))
        session.execute(given.values(screening_by=None))


def unfinished() -> list[str]:
    """Comments that an earlier process of this host began to screen. For a worker that starts:
    where two workers share a host, one may screen what the other is at, which does no harm.
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
    """This process, as no other is named."""
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
