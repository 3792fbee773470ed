"""Labels for training a site's own model: the standing human decision on each comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.evidence import StoredEvidence
from models.records import Comment, DecisionRecord, Screening
from models.settling.history import BY_A_HUMAN, standing

MOST = 5000
_AT_ONCE = 500


class Decided(NamedTuple):
    """A comment with its standing human decision. `context` holds the counts that its screening
    made for the spam check.
    """

    comment: str
    spam: bool
    at: datetime
    body: str
    language: str
    context: dict[str, int]


def labels(session: Session, site_id: int, most: int = MOST) -> list[Decided]:
    """The site's newest labels, in the order of the decisions: approved is ham, rejected is spam.
    Flagged and erased comments give no label.
    """
    newest: list[Decided] = []
    for some in _chunks(_latest_of_each(session, site_id)):
        newest += _with_comments(session, some)
        if len(newest) >= most:
            break
    return newest[:most][::-1]


class _Entry(NamedTuple):
    id: str
    by: str
    undoes: str | None
    comment_id: str
    verdict: str
    at: datetime


def _latest_of_each(session: Session, site_id: int) -> Iterator[_Entry]:
    """The standing decision on each comment, the newest first."""
    known: set[str] = set()
    for entry in standing(_log(session, site_id)):
        if entry.comment_id not in known:
            known.add(entry.comment_id)
            yield entry


def _log(session: Session, site_id: int) -> Iterator[list[_Entry]]:
    """Read the site's log of human decisions from the newest one back, in pages."""
    columns = (getattr(DecisionRecord, name) for name in _Entry._fields)
    newest_first = (
        select(*columns)
        .where(DecisionRecord.site_id == site_id, BY_A_HUMAN)
        .order_by(DecisionRecord.id.desc())
        .limit(_AT_ONCE)
    )
    page = [_Entry(*row) for row in session.execute(newest_first)]
    while page:
        yield page
        older = newest_first.where(DecisionRecord.id < page[-1].id)
        page = [_Entry(*row) for row in session.execute(older)]


def _chunks(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    """Split the verdicts that teach into lists short enough for one query."""
    chunk: list[_Entry] = []
    for entry in entries:
        if entry.verdict in {"approve", "reject"}:
            chunk.append(entry)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    yield chunk


def _with_comments(session: Session, some: Sequence[_Entry]) -> list[Decided]:
    ids = [each.comment_id for each in some]
    wanted = select(Comment.id, Comment.body, Comment.language).where(
        Comment.id.in_(ids), Comment.erased_at.is_(None)
    )
    comments = {row.id: row for row in session.execute(wanted)}
    contexts = contexts_of(session, ids)
    return [
        Decided(
            each.comment_id,
            each.verdict == "reject",
            each.at,
            comments[each.comment_id].body,
            comments[each.comment_id].language or "und",
            contexts.get(each.comment_id, {}),
        )
        for each in some
        if each.comment_id in comments
    ]


def contexts_of(session: Session, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """The counts that each comment's latest screening made for the spam check."""
    wanted = select(Screening.comment_id, Screening.evidence).where(Screening.comment_id.in_(ids))
    rows = session.execute(wanted.order_by(Screening.number))
    return {row.comment_id: _counts(row.evidence) for row in rows}


def _counts(evidence: Sequence[StoredEvidence]) -> dict[str, int]:
    return next((item.get("counts", {}) for item in evidence if item.get("check") == "spam"), {})
