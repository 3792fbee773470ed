"""Count the comments that one author or one IP address left on the site just before this one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Integer, Select, String, func, select
from sqlalchemy.orm import Session

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import Comment
from models.settings import settings
from models.store.database import Moment
from worker.checks.batch_table import Columns, Question, asked, dialect_of, packed

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_COLUMNS: Columns = {
    "n": Integer(),
    "site": Integer(),
    "who": String(),
    "at": Moment(),
    "minute": Moment(),
    "hour": Moment(),
}


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. The comment itself counts, too. It has had its row since it was accepted, so
    a later check counts the same.
    """
    if settings().rate_limits == "off":
        detail = "not counted: rate limits are off on this server"
        return [Evidence(check="pace", outcome=Outcome.CLEAR, detail=detail)] * len(batch)
    authors = _counts(session, "email_index", [(c.site_id, c.email_index, c.at) for c in batch])
    addresses = _counts(session, "address", [(c.site_id, c.address, c.at) for c in batch])
    return [
        _evidence(minute=max(author[0], address[0], 1), hour=max(author[1], address[1], 1))
        for author, address in zip(authors, addresses, strict=True)
    ]


def _evidence(*, minute: int, hour: int) -> Evidence:
    found = hour > 1
    return Evidence(
        check="pace",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail=_words(minute, hour),
        score=hour,
        counts={"minute": minute, "hour": hour},
    )


def _words(minute: int, hour: int) -> str:
    if hour == 1:
        return "the only comment from this author or IP address in the last hour"
    noun = "comment" if minute == 1 else "comments"
    return (
        f"{minute} {noun} in the last minute and {hour} in the last hour from this author or IP "
        "address, including this one"
    )


def _counts(
    session: Session, who: str, asked_for: list[tuple[int, str, datetime]]
) -> list[tuple[int, int]]:
    """Return the comments in the minute and in the hour up to each moment that have this hash; none
    if the hash is empty.
    """
    rows: list[Question] = [
        {"n": n, "site": site, "who": key, "at": at, "minute": at - _MINUTE, "hour": at - _HOUR}
        for n, (site, key, at) in enumerate(asked_for)
        if key
    ]
    dialect = dialect_of(session)
    answer = session.execute(_counting(dialect, who), packed(dialect, rows)) if rows else ()
    found = {n: (minute, hour) for n, minute, hour in answer}
    return [found.get(n, (0, 0)) for n in range(len(asked_for))]


@cache
def _counting(dialect: str, who: str) -> Select[int, int, int]:
    table = asked(dialect, _COLUMNS)
    is_theirs = (Comment.site_id == table.c.site) & (getattr(Comment, who) == table.c.who)
    counts = (func.count().filter(Comment.at > table.c.minute), func.count())
    counted = select(table.c.n, *counts).join(
        Comment, is_theirs & (Comment.at > table.c.hour) & (Comment.at <= table.c.at)
    )
    return counted.group_by(table.c.n)
