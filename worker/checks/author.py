"""What became of earlier comments under the same email address on this site.

Anyone can type another's address, so a good record earns nothing; a bad one may hold back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Integer, String, func, literal, select
from sqlalchemy.orm import Session, aliased

from models.database import Moment
from models.evidence import Evidence, Outcome
from models.records import Comment
from worker.checks.asked import asked
from worker.checks.candidate import Candidate

MOST = 200  # comments looked at, the newest: an address that everyone types must not slow everyone down

_WORDS = {"approved": "approved", "rejected": "rejected", "flagged": "held", "pending": "waiting"}
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class _Earlier(NamedTuple):
    id: str
    status: str
    at: datetime


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """`counts` are of the address's comments before this one: "approved", "rejected" and "flagged"."""
    known = _known(session, {(c.site_id, c.email_index) for c in batch if c.email_index})
    return [_evidence(candidate, known.get((candidate.site_id, candidate.email_index), [])) for candidate in batch]


def _evidence(candidate: Candidate, known: list[_Earlier]) -> Evidence:
    earlier = [other for other in known if other.at <= candidate.at and other.id != candidate.id]
    counts = Counter(other.status for other in earlier)
    rejected = counts["rejected"]
    noun = "comment" if rejected == 1 else "comments"
    found = {"rejected": f"{rejected} earlier {noun} rejected under this address"} if rejected else {}
    return Evidence(
        check="author",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail=_words(counts, min((other.at for other in earlier), default=None)),
        found=found,
        counts={status: counts[status] for status in ("approved", "rejected", "flagged")},
    )


def _words(counts: Counter[str], since: datetime | None) -> str:
    if since is None:
        return "first comment from this address"
    *most, last = [f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status]]
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"{listed} under this address, which is unproven; seen since {since:%Y-%m-%d}"


def _known(session: Session, authors: set[tuple[int, str]]) -> dict[tuple[int, str], list[_Earlier]]:
    """The newest comments of each site and address; the index has them in order, so no more than those are read."""
    known = defaultdict[tuple[int, str], list[_Earlier]](list)
    if not authors:
        return known
    table = asked(
        session, {"site": Integer(), "who": String()}, ({"site": site, "who": who} for site, who in sorted(authors))
    )
    other = aliased(Comment)
    oldest = (
        select(other.at)
        .where(other.site_id == table.c.site, other.email_index == table.c.who)
        .order_by(other.at.desc())
        .offset(MOST - 1)
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    newest = select(Comment.site_id, Comment.email_index, Comment.id, Comment.status, Comment.at).join(
        table,
        (Comment.site_id == table.c.site)
        & (Comment.email_index == table.c.who)
        & (Comment.at >= func.coalesce(oldest, literal(_BEGINNING, Moment)))
        & Comment.erased_at.is_(None),
    )
    for site, who, comment, status, at in session.execute(newest):
        known[site, who].append(_Earlier(comment, status, at))
    return known
