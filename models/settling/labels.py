"""What a site's moderators decided, as a model may learn from it: the standing decision on each
comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from models.records import Comment, DecisionRecord, Screening

MOST = 5000
_AT_ONCE = 500


class Decided(NamedTuple):
    """A comment and the latest human decision on it that is not undone. `context` was counted when
    it was screened.
    """

    comment: str
    spam: bool
    at: datetime
    body: str
    language: str
    context: dict[str, int]


def labels(session: Session, site_id: int, most: int = MOST) -> list[Decided]:
    """The newest, in the order of the decisions: approved is ham, rejected is spam. "Flag" teaches
    nothing, and an erased comment is gone.
    """
    newest: list[Decided] = []
    for some in _chunks(_standing(session, site_id)):
        newest += _with_comments(session, some)
        if len(newest) >= most:
            break
    return newest[:most][::-1]


class _Standing(NamedTuple):
    comment: str
    verdict: str
    at: datetime


def _standing(session: Session, site_id: int) -> Iterator[_Standing]:
    """The latest decision of a human on each comment, the newest first; an undo comes before what
    it undoes.
    """
    wanted = select(
        *(getattr(DecisionRecord, name) for name in ("id", "comment_id", "verdict", "undoes", "at"))
    )
    by_human = DecisionRecord.by != literal_column(
        "'policy'"
    )  # as the index has it, which is for these alone
    wanted = (
        wanted.where(DecisionRecord.site_id == site_id, by_human)
        .order_by(DecisionRecord.id.desc())
        .limit(_AT_ONCE)
    )
    undone: set[str] = set()
    known: set[str] = set()
    rows: Sequence[Any] = session.execute(wanted).all()
    while rows:
        for row in rows:
            if row.undoes:
                undone.add(row.undoes)
            elif row.id not in undone and row.comment_id not in known:
                known.add(row.comment_id)
                yield _Standing(row.comment_id, row.verdict, row.at)
        rows = session.execute(wanted.where(DecisionRecord.id < rows[-1].id)).all()


def _chunks(standing: Iterator[_Standing]) -> Iterator[list[_Standing]]:
    chunk: list[_Standing] = []
    for each in standing:
        if each.verdict in {"approve", "reject"}:
            chunk.append(each)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    yield chunk


def _with_comments(session: Session, some: Sequence[_Standing]) -> list[Decided]:
    ids = [each.comment for each in some]
    wanted = select(Comment.id, Comment.body, Comment.language).where(
        Comment.id.in_(ids), Comment.erased_at.is_(None)
    )
    comments = {row.id: row for row in session.execute(wanted)}
    contexts = contexts_of(session, ids)
    return [
        Decided(
            each.comment,
            each.verdict == "reject",
            each.at,
            comments[each.comment].body,
            comments[each.comment].language or "und",
            contexts.get(each.comment, {}),
        )
        for each in some
        if each.comment in comments
    ]


def contexts_of(session: Session, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """What was counted for the spam check at each comment's latest screening."""
    wanted = select(Screening.comment_id, Screening.evidence).where(Screening.comment_id.in_(ids))
    rows = session.execute(wanted.order_by(Screening.number))
    return {row.comment_id: _counts(row.evidence) for row in rows}


def _counts(evidence: Sequence[dict[str, Any]]) -> dict[str, int]:
    return next((item.get("counts", {}) for item in evidence if item.get("check") == "spam"), {})
