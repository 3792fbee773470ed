"""Check who wrote a comment: the author's earlier comments on this site, and whether the name is
another person's.

Anyone can type another person's address, so the good record of an address never approves a comment,
but a bad one may hold it. Only the record of a known reader can earn trust.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple, TypeVarTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    String,
    Uuid,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session, aliased

from models.judgement.candidate import Candidate
from models.judgement.evidence import RESERVED_NAME, Evidence, Outcome
from models.records import Comment, Reader
from models.store.database import Moment
from models.text.names import has_words, name_key
from worker.checks.batch_table import Columns, Question, asked, dialect_of, packed

# Only the newest comments are read: an address that everyone types must not slow the check down.
MOST = 200
LATELY = timedelta(days=90)
STAFF = "staff"

_WORDS = {"approved": "approved", "rejected": "rejected", "flagged": "held", "pending": "waiting"}
_BY_ADDRESS: Columns = {"n": Integer(), "site": Integer(), "who": String(), "at": Moment()}
_BY_READER: Columns = {
    "n": Integer(),
    "who": Uuid(as_uuid=False),
    "at": Moment(),
    "lately": Moment(),
}
_NAMES: Columns = {"n": Integer(), "site": Integer(), "name": String()}
_Values = TypeVarTuple("_Values")
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_STATUSES = ("approved", "rejected", "flagged")


class _Record(NamedTuple):
    """The earlier comments of an author by status, all and those of the last 90 days."""

    counts: Counter[str]
    lately: Counter[str]
    since: datetime | None


class _Holder(NamedTuple):
    """A known reader who bears a name."""

    id: str
    name: str
    badges: list[str] | None


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. `counts` are the author's earlier comments: "approved", "rejected" and
    "flagged". For a known reader, "known" is 1, and "approved_lately" and "rejected_lately" count
    the last 90 days.
    """
    records = _records(session, batch, now)
    taken = _taken_names(session, batch)
    return [
        _evidence(candidate, record, taken.get(candidate.id))
        for candidate, record in zip(batch, records, strict=True)
    ]


def _evidence(candidate: Candidate, record: _Record, taken: str | None) -> Evidence:
    rejected, whose = record.counts["rejected"], _whose(candidate)
    found: dict[str, str] = {}
    if rejected:
        noun, were = ("comment", "was") if rejected == 1 else ("comments", "were")
        found["rejected"] = f"{rejected} earlier {noun} from {whose} {were} rejected"
    if taken:
        found[RESERVED_NAME] = taken
    counts = {status: record.counts[status] for status in _STATUSES}
    if candidate.reader_id:
        counts |= {
            "known": 1,
            "approved_lately": record.lately["approved"],
            "rejected_lately": record.lately["rejected"],
        }
    return Evidence(
        check="author",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(filter(None, (taken, _words(record, candidate)))),
        found=found,
        counts=counts,
    )


def _whose(candidate: Candidate) -> str:
    return "this reader" if candidate.reader_id else "this email address"


def _words(record: _Record, candidate: Candidate) -> str:
    whose = _whose(candidate)
    if record.since is None:
        return f"first comment from {whose}"
    *most, last = [
        f"{record.counts[status]} {word}"
        for status, word in _WORDS.items()
        if record.counts[status]
    ]
    listed = f"{', '.join(most)} and {last}" if most else last
    proof = "the reader is known" if candidate.reader_id else "the address is not verified"
    return f"earlier comments from {whose} since {record.since:%Y-%m-%d}: {listed}; {proof}"


def _records(session: Session, batch: Sequence[Candidate], now: datetime) -> list[_Record]:
    """Return the outcomes of the newest comments before each one. The index has them in order, so
    no others are read.
    """
    records = [_Record(Counter(), Counter(), None) for _ in batch]
    dialect = dialect_of(session)
    of_addresses: list[Question] = []
    of_readers: list[Question] = []
    for n, c in enumerate(batch):
        if c.reader_id:
            who = c.reader_id.replace("-", "") if dialect == "sqlite" else c.reader_id
            of_readers.append({"n": n, "who": who, "at": c.at, "lately": now - LATELY})
        elif c.email_index:
            of_addresses.append({"n": n, "site": c.site_id, "who": c.email_index, "at": c.at})
    if of_addresses:
        rows = session.execute(_of_addresses(dialect), packed(dialect, of_addresses))
        for n, status, count, since in rows:
            _count(records, n, status, count, since)
    if of_readers:
        found = session.execute(_of_readers(dialect), packed(dialect, of_readers))
        for n, status, count, since, lately in found:
            _count(records, n, status, count, since)
            records[n].lately[status] = lately
    return records


def _count(records: list[_Record], n: int, status: str, count: int, since: datetime) -> None:
    record = records[n]
    record.counts[status] = count
    records[n] = record._replace(since=min(since, record.since or since))


@cache
def _of_addresses(dialect: str) -> Select[int, str, int, datetime]:
    table, other = asked(dialect, _BY_ADDRESS), aliased(Comment)
    is_earlier = (other.site_id == table.c.site) & (other.email_index == table.c.who)
    is_theirs = (Comment.site_id == table.c.site) & (Comment.email_index == table.c.who)
    counted = select(table.c.n, Comment.status, func.count(), func.min(Comment.at))
    return _newest(counted, table, is_theirs, oldest=_oldest(table, other, is_earlier))


@cache
def _of_readers(dialect: str) -> Select[int, str, int, datetime, int]:
    table, other = asked(dialect, _BY_READER), aliased(Comment)
    is_lately = case((Comment.at >= table.c.lately, 1), else_=0)
    counted = select(
        table.c.n, Comment.status, func.count(), func.min(Comment.at), func.sum(is_lately)
    )
    oldest = _oldest(table, other, other.reader_id == table.c.who)
    return _newest(counted, table, Comment.reader_id == table.c.who, oldest=oldest)


def _oldest(
    table: CTE, other: type[Comment], is_theirs: ColumnElement[bool]
) -> ScalarSelect[datetime]:
    """Return the time of the last comment that is read."""
    newest = select(other.at).where(is_theirs, other.at < table.c.at).order_by(other.at.desc())
    return newest.offset(MOST - 1).limit(1).correlate(table).scalar_subquery()


def _newest(
    counted: Select[*_Values],
    table: CTE,
    is_theirs: ColumnElement[bool],
    *,
    oldest: ScalarSelect[datetime],
) -> Select[*_Values]:
    since = func.coalesce(oldest, literal(_BEGINNING, Moment))
    is_read = (Comment.at < table.c.at) & (Comment.at >= since) & Comment.erased_at.is_(None)
    return counted.join(Comment, is_theirs & is_read).group_by(table.c.n, Comment.status)


def _taken_names(session: Session, batch: Sequence[Candidate]) -> Mapping[str, str]:
    """Return why a comment's name is another person's, by the comment's id.

    Nobody else may use a reserved name or the name of staff, and nobody unproven the name of a
    known reader if it has two words or more. Readers whom the site signed on bear the name that
    the site gives them.
    """
    names = {
        candidate.id: name_key(candidate.name)
        for candidate in batch
        if candidate.site_has_readers or candidate.policy.readers.reserved_names
    }
    if not names:
        return {}
    holders = _holders(session, batch, names)
    taken = {
        candidate.id: why
        for candidate in batch
        if (why := _why_taken(candidate, names.get(candidate.id, ""), holders[candidate.id]))
    }
    if not taken:
        return {}
    of_readers = {c.reader_id for c in batch if c.reader_id and c.id in taken}
    signed_on = _signed_on(session, of_readers) if of_readers else set()
    return {c.id: taken[c.id] for c in batch if c.id in taken and c.reader_id not in signed_on}


def _why_taken(candidate: Candidate, name: str, holders: Sequence[_Holder]) -> str | None:
    if not name:
        return None
    if name in {name_key(each) for each in candidate.policy.readers.reserved_names}:
        return "this site reserves the name"
    others = [holder for holder in holders if holder.id != candidate.reader_id]
    if any(STAFF in (holder.badges or ()) for holder in others):
        return "the name belongs to a member of the site's staff"
    if candidate.reader_id is None and any(has_words(holder.name) for holder in others):
        return "the name belongs to a known reader, who signs in or has a confirmed address"
    return None


def _holders(
    session: Session, batch: Sequence[Candidate], names: Mapping[str, str]
) -> Mapping[str, list[_Holder]]:
    """Return the known readers with the name of each comment, by the comment's id."""
    holders: dict[str, list[_Holder]] = {candidate.id: [] for candidate in batch}
    questions: list[Question] = [
        {"n": n, "site": candidate.site_id, "name": names[candidate.id]}
        for n, candidate in enumerate(batch)
        if candidate.site_has_readers and names.get(candidate.id)
    ]
    if questions:
        dialect = dialect_of(session)
        found = session.execute(_named(dialect), packed(dialect, questions))
        for n, reader_id, name, badges in found:
            holders[batch[n].id].append(_Holder(reader_id, name, badges))
    return holders


def _signed_on(session: Session, reader_ids: Collection[str]) -> set[str]:
    wanted = select(Reader.id).where(Reader.id.in_(reader_ids), Reader.kind == "signed_on")
    return set(session.scalars(wanted))


@cache
def _named(dialect: str) -> Select[int, str, str, list[str] | None]:
    table = asked(dialect, _NAMES)
    has_name = (Reader.site_id == table.c.site) & (Reader.folded_name == table.c.name)
    named = select(table.c.n, Reader.id, Reader.name, Reader.badges)
    return named.join(Reader, has_name & Reader.erased_at.is_(None))
