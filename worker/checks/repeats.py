"""Whether others said the same, or nearly the same, on the site within a day: campaigns repeat themselves.

A text leaves five fingerprints: a hash of its words, and four bands of three MinHashes over its runs of five
characters (Broder 1997; two texts that share a part J of their runs share a MinHash with probability J, so at J = 0.8
a band in common is found 94 times of 100). Who shares a band is only a suspect: its text is fetched and compared.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache
from hashlib import blake2b, shake_128
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session, aliased

from models.database import Moment
from models.evidence import Evidence, Outcome
from models.folding import fold
from models.records import Comment, Fingerprint
from worker.checks.asked import Columns, asked, dialect_of, packed
from worker.checks.candidate import Candidate

WINDOW = timedelta(days=1)
ALIKE = 0.7  # the part of their runs that two texts share to be nearly the same
LETTERS = 20  # fewer say nothing: "Thank you!" is no campaign
MOST_SAME = 1001  # counted so far: one more than a policy can allow
MOST_SUSPECTS = 20  # texts compared with each comment

_BANDS, _ROWS, _RUN = 4, 3, 5
_Hashes: TypeAlias = NDArray[np.uint64]


def _numbers(name: str) -> _Hashes:
    """A column of odd and even numbers that never change: new fingerprints are compared with stored ones."""
    digest = shake_128(name.encode()).digest(8 * _BANDS * _ROWS)
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64)[:, None]


_FACTORS, _SHIFTS = _numbers("factors") | np.uint64(1), _numbers("shifts")
_POWERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 1], np.uint64)

_COLUMNS: Columns = {"id": String(), "site": Integer(), "band": BigInteger(), "at": Moment(), "since": Moment()}
_NO_ID = "00000000-0000-0000-0000-000000000000"
_BESIDE_WORDS = re.compile(r"[\W_]+")


class _Text:
    """A text as it is compared: folded, without punctuation."""

    def __init__(self, body: str) -> None:
        self.words = _BESIDE_WORDS.sub(" ", fold(body)).strip()
        self.counts = len(self.words.replace(" ", "")) >= LETTERS

    @cached_property
    def same(self) -> int:
        return _hash(self.words.encode())

    def runs(self) -> _Hashes:
        """A hash for each run of five characters."""
        letters = np.frombuffer(self.words.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
        hashes = np.zeros(len(letters) - _RUN + 1, dtype=np.uint64)
        for n, power in enumerate(_POWERS):
            hashes += letters[n : n + len(hashes)] * power
        hashes ^= hashes >> np.uint64(32)  # the high bits are well mixed, the low ones need theirs
        hashes *= _POWERS[0]
        return np.asarray(hashes ^ (hashes >> np.uint64(29)))

    @cached_property
    def bands(self) -> list[int]:
        least = (self.runs() * _FACTORS + _SHIFTS).min(axis=1).reshape(_BANDS, _ROWS)
        return [_hash(bytes([n]) + band.tobytes()) for n, band in enumerate(least)]

    def likeness(self, other: _Text) -> float:
        """Jaccard: the runs in both by the runs in either."""
        both = len(np.intersect1d(self.distinct, other.distinct, assume_unique=True))
        return both / (len(self.distinct) + len(other.distinct) - both)

    @cached_property
    def distinct(self) -> _Hashes:
        return np.unique(self.runs())


@lru_cache(maxsize=256)
def _text(body: str) -> _Text:
    """Remembered, because who checks a batch asks for its fingerprints next."""
    return _Text(body)


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Counted are comments before this one, so looking again later counts the same. "similar" leaves out the "same"."""
    texts = {candidate.id: _text(candidate.body) for candidate in batch}
    asked_for = [candidate for candidate in batch if texts[candidate.id].counts]
    same, similar = Counter[str](), Counter[str]()
    if asked_for:
        same.update(_stored_same(session, asked_for, texts))
        similar.update(_stored_similar(session, asked_for, texts))
        _add_neighbours(asked_for, texts, same, similar)
    return [_evidence(texts[candidate.id], same[candidate.id], similar[candidate.id]) for candidate in batch]


def fingerprints(batch: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Rows for the fingerprints table; none for a text too short to count."""
    texts = ((candidate, _text(candidate.body)) for candidate in batch)
    return [
        {"site_id": candidate.site_id, "band": band, "comment_id": candidate.id, "at": candidate.at}
        for candidate, text in texts
        if text.counts
        for band in (text.same, *text.bands)
    ]


def _evidence(text: _Text, same: int, similar: int) -> Evidence:
    found = {}
    if same:
        found["same"] = f"the same text as {_others(same, MOST_SAME)} in the last day"
    if similar:
        found["similar"] = f"nearly the same text as {_others(similar, MOST_SUSPECTS)} in the last day"
    clear = "nobody said the same in the last day" if text.counts else "too short to tell a repeat"
    return Evidence(
        check="repeats",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(found.values()) or clear,
        score=same + similar,
        found=found,
        counts={"same": same, "similar": similar},
    )


def _others(count: int, most: int) -> str:
    if count >= most:
        return f"{most} others or more"
    return "another" if count == 1 else f"{count} others"


def _question(candidate: Candidate, band: int) -> dict[str, Any]:
    return {
        "id": candidate.id,
        "site": candidate.site_id,
        "band": band,
        "at": candidate.at,
        "since": candidate.at - WINDOW,
    }


def _before(table: CTE, other: Any) -> ColumnElement[bool]:
    """Fingerprints asked for that another comment, outside the batch, left in the day before."""
    return and_(
        other.site_id == table.c.site,
        other.band == table.c.band,
        other.at > table.c.since,
        other.at <= table.c.at,
        other.comment_id.not_in(bindparam("batch", expanding=True)),
    )


def _stored_same(session: Session, batch: Sequence[Candidate], texts: Mapping[str, _Text]) -> dict[str, int]:
    questions = [_question(candidate, texts[candidate.id].same) for candidate in batch]
    return {row.id: row.others for row in _asked(session, _counting_same, questions, batch)}


def _asked(
    session: Session,
    statement: Callable[[str], Select[Any]],
    questions: list[dict[str, Any]],
    batch: Sequence[Candidate],
) -> Sequence[Any]:
    dialect = dialect_of(session)
    ids = [candidate.id for candidate in batch]
    return session.execute(statement(dialect), {**packed(dialect, questions), "batch": ids}).all()


@cache
def _counting_same(dialect: str) -> Select[Any]:
    table = asked(dialect, _COLUMNS)
    found = select(literal(1)).where(_before(table, Fingerprint)).limit(MOST_SAME).correlate(table)
    return select(table.c.id, select(func.count()).select_from(found.subquery()).scalar_subquery().label("others"))


def _stored_similar(session: Session, batch: Sequence[Candidate], texts: Mapping[str, _Text]) -> dict[str, int]:
    suspects = _suspects(session, batch, texts)
    wanted = {suspect for several in suspects.values() for suspect in several}
    stored = select(Comment.id, Comment.body).where(Comment.id.in_(wanted), Comment.erased_at.is_(None))
    others = {row.id: _Text(row.body) for row in session.execute(stored)} if wanted else {}
    return {
        comment: sum(_is_similar(texts[comment], others[suspect]) for suspect in several if suspect in others)
        for comment, several in suspects.items()
    }


def _suspects(session: Session, batch: Sequence[Candidate], texts: Mapping[str, _Text]) -> dict[str, list[str]]:
    """For each comment, those that share a band with it: the ones that share most, and few however many there are."""
    questions = [_question(candidate, band) for candidate in batch for band in texts[candidate.id].bands]
    shared = defaultdict[str, Counter[str]](Counter)
    for comment, suspect in _asked(session, _newest_of_a_band, questions, batch):
        shared[comment][suspect] += 1
    return {comment: [suspect for suspect, _ in bands.most_common(MOST_SUSPECTS)] for comment, bands in shared.items()}


@cache
def _newest_of_a_band(dialect: str) -> Select[Any]:
    table, other = asked(dialect, _COLUMNS), aliased(Fingerprint)
    first = (
        select(other.comment_id)
        .where(_before(table, other))
        .order_by(other.comment_id.desc())
        .offset(MOST_SUSPECTS - 1)
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    is_newest = Fingerprint.comment_id >= func.coalesce(first, literal(_NO_ID, Uuid(as_uuid=False)))
    return select(table.c.id, Fingerprint.comment_id).join(Fingerprint, _before(table, Fingerprint) & is_newest)


def _is_similar(text: _Text, other: _Text) -> bool:
    return other.counts and text.words != other.words and text.likeness(other) >= ALIKE


def _add_neighbours(
    batch: Sequence[Candidate], texts: Mapping[str, _Text], same: Counter[str], similar: Counter[str]
) -> None:
    """Comments of the same batch, which have left no fingerprints yet: each is compared with those before it."""
    seen = defaultdict[tuple[int, int], list[Candidate]](list)
    for candidate in sorted(batch, key=lambda candidate: (candidate.at, candidate.id)):
        text, since = texts[candidate.id], candidate.at - WINDOW
        same[candidate.id] += sum(other.at > since for other in seen[candidate.site_id, text.same])
        suspects = {
            other.id: texts[other.id]
            for band in text.bands
            for other in seen[candidate.site_id, band][-MOST_SUSPECTS:]
            if other.at > since
        }
        similar[candidate.id] += sum(_is_similar(text, other) for other in suspects.values())
        for band in (text.same, *text.bands):
            seen[candidate.site_id, band].append(candidate)


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), signed=True)
