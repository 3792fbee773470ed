"""Check the earlier comments under the same email address on this site.

Anyone can type another person's address, so a good record never approves a comment, but a bad one
may hold it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Integer, Select, String, func, literal, select
from sqlalchemy.orm import Session, aliased

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import Comment
from models.store.database import Moment
from worker.checks.batch_table import Columns, Question, asked, dialect_of, packed

# Only the newest comments are read: an address that everyone types must not slow the check down.
MOST = 200

_WORDS = {"approved": "approved", "rejected": "rejected", "flagged": "held", "pending": "waiting"}
_COLUMNS: Columns = {"n": Integer(), "site": Integer(), "who": String(), "at": Moment()}
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class _Record(NamedTuple):
    counts: Counter[str]
    since: datetime | None


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. `counts` are the address's earlier comments: "approved", "rejected" and
    "flagged".
    """
    return [_evidence(record) for record in _records(session, batch)]


def _evidence(record: _Record) -> Evidence:
    rejected = record.counts["rejected"]
    noun, were = ("comment", "was") if rejected == 1 else ("comments", "were")
    found = (
        {"rejected": f"{rejected} earlier {noun} from this email address {were} rejected"}
        if rejected
        else {}
    )
    return Evidence(
        check="author",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail=_words(record),
        found=found,
        counts={status: record.counts[status] for status in ("approved", "rejected", "flagged")},
    )


def _words(record: _Record) -> str:
    if record.since is None:
        return "first comment from this email address"
    *most, last = [
        f"{record.counts[status]} {word}"
        for status, word in _WORDS.items()
        if record.counts[status]
    ]
    listed = f"{', '.join(most)} and {last}" if most else last
    return (
        f"earlier comments from this email address since {record.since:%Y-%m-%d}: {listed}; "
        "the address is not verified"
    )


def _records(session: Session, batch: Sequence[Candidate]) -> list[_Record]:
    """Return the outcomes of the newest comments before each one. The index has them in order, so
    no others are read.
    """
    records = [_Record(Counter(), None) for _ in batch]
    rows: list[Question] = [
        {"n": n, "site": c.site_id, "who": c.email_index, "at": c.at}
        for n, c in enumerate(batch)
        if c.email_index
    ]
    if not rows:
        return records
    dialect = dialect_of(session)
    for n, status, count, since in session.execute(_counting(dialect), packed(dialect, rows)):
        record = records[n]
        record.counts[status] = count
        records[n] = record._replace(since=min(since, record.since or since))
    return records


@cache
def _counting(dialect: str) -> Select[int, str, int, datetime]:
    table, other = asked(dialect, _COLUMNS), aliased(Comment)
    oldest = (
        select(other.at)
        .where(
            other.site_id == table.c.site, other.email_index == table.c.who, other.at < table.c.at
        )
        .order_by(other.at.desc())
        .offset(MOST - 1)
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    is_theirs = (Comment.site_id == table.c.site) & (Comment.email_index == table.c.who)
    is_newest = (Comment.at < table.c.at) & (
        Comment.at >= func.coalesce(oldest, literal(_BEGINNING, Moment))
    )
    counted = select(table.c.n, Comment.status, func.count(), func.min(Comment.at))
    counted = counted.join(Comment, is_theirs & is_newest & Comment.erased_at.is_(None))
    return counted.group_by(table.c.n, Comment.status)
