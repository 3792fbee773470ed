"""Check whether other comments on the site said the same, or nearly the same, within a day, because
campaigns repeat themselves.

A text leaves five fingerprints: a hash of its words, and four bands of three MinHashes over its
runs of five characters (Broder 1997; two texts that share a part J of their runs share a MinHash
with probability J, so at J = 0.8 a common band is found 94 times of 100). A text that shares a band
is only a candidate: it is fetched and compared.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache
from hashlib import blake2b, shake_128
from typing import TypeAlias, TypeVarTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session, aliased

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence, Outcome
from models.records import Comment, Fingerprint
from models.settling.rows import FingerprintRow
from models.store.database import Moment
from models.text.folding import LETTERS, fold_text
from worker.checks.batch_table import Columns, Question, asked, dialect_of, packed

WINDOW = timedelta(days=1)
HOUR = timedelta(hours=1)
MOST_LETTERS = (
    12_000  # compared; a comment is longer only if folding turned most of its letters into several
)
ALIKE = 0.7  # the part of their runs that two nearly equal texts share
MOST_SAME = 1001  # counted up to this: one more than a policy can allow
MOST_SUSPECTS = 20  # texts compared with each comment

_BANDS, _ROWS = 4, 3
_NOT_THE_SAME = 0.999
_Columns = TypeVarTuple("_Columns")
_Hashes: TypeAlias = NDArray[np.uint64]


def _numbers(name: str) -> _Hashes:
    """A column of pseudo-random numbers. They must never change, because new fingerprints are
    compared with stored ones.
    """
    digest = shake_128(name.encode()).digest(8 * _BANDS * _ROWS)
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64)[:, None]


_FACTORS, _SHIFTS = _numbers("factors") | np.uint64(1), _numbers("shifts")
_POWERS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 1], np.uint64
)

_COLUMNS: Columns = {
    "id": String(),
    "site": Integer(),
    "band": BigInteger(),
    "at": Moment(),
    "since": Moment(),
    "hour": Moment(),
}
_NO_ID = "00000000-0000-0000-0000-000000000000"
_BESIDE_WORDS = re.compile(r"[\W_]+")


class _Text:
    """A text for comparing: folded, without punctuation."""

    def __init__(self, body: str) -> None:
        self.words = _BESIDE_WORDS.sub(" ", fold_text(body)).strip()
        self.counts = len(self.words.replace(" ", "")) >= LETTERS

    @cached_property
    def same(self) -> int:
        return _hash(self.words.encode())

    def runs(self) -> _Hashes:
        """Return a hash for each run of five characters."""
        letters = np.frombuffer(
            self.words[:MOST_LETTERS].encode("utf-32-le"), dtype=np.uint32
        ).astype(np.uint64)
        hashes = np.correlate(
            letters, _POWERS
        )  # the sum of each run's letters times the powers; it wraps around
        hashes ^= hashes >> np.uint64(32)  # the low bits are badly mixed, so mix in the high ones
        hashes *= _POWERS[0]
        return np.asarray(hashes ^ (hashes >> np.uint64(29)))

    @cached_property
    def bands(self) -> list[int]:
        least = (self.runs() * _FACTORS + _SHIFTS).min(axis=1).reshape(_BANDS, _ROWS)
        return [_hash(bytes([n]) + band.tobytes()) for n, band in enumerate(least)]

    def likeness(self, other: _Text) -> float:
        """Return the Jaccard similarity: the runs in both by the runs in either."""
        few, many = sorted((self.distinct, other.distinct), key=len)
        both = np.count_nonzero(many.take(many.searchsorted(few), mode="clip") == few)
        return float(both / (len(few) + len(many) - both))

    @cached_property
    def distinct(self) -> NDArray[np.uint32]:
        return np.unique(
            self.runs().astype(np.uint32)
        )  # half of each hash is enough to distinguish runs


@lru_cache(maxsize=2048)
def _text(body: str) -> _Text:
    """Return the prepared text from a cache: after checking a batch, its fingerprints are made, and
    a campaign's texts occur again.
    """
    return _Text(body)


@dataclass
class _Others:
    """Earlier comments with the same or nearly the same text: how many in the last day, how many of
    them in the last hour, and the first one that was compared.
    """

    same: int = 0
    similar: int = 0
    same_lately: int = 0
    similar_lately: int = 0
    first: str | None = None

    def add_first(self, *ids: str | None) -> None:
        """Keep the earlier one as the first. Ids sort by creation time."""
        self.first = min(filter(None, (self.first, *ids)), default=None)


def check(batch: Sequence[Candidate], session: Session, now: datetime) -> list[Evidence]:
    """Check the batch. Only earlier comments count, so checking again later counts the same.
    "similar" does not include the "same".
    """
    texts = {candidate.id: _text(candidate.body) for candidate in batch}
    asked_for = [candidate for candidate in batch if texts[candidate.id].counts]
    others = {candidate.id: _Others() for candidate in batch}
    if asked_for:
        _add_same(session, asked_for, texts, others)
        _add_similar(session, asked_for, texts, others)
        _add_neighbours(asked_for, texts, others)
    campaigns = _campaigns(session, asked_for, others)
    return [
        _evidence(texts[candidate.id], others[candidate.id], campaigns.get(candidate.id))
        for candidate in batch
    ]


def likeness(one: str, other: str) -> float:
    """Return how similar two texts are, from 0 to 1: 1 for the same words, and from `ALIKE` on
    nearly the same.
    """
    text, against = _text(one), _text(other)
    if not (text.counts and against.counts):
        return 0.0
    return 1.0 if text.words == against.words else min(text.likeness(against), _NOT_THE_SAME)


def first_alike(bodies: Sequence[str]) -> list[int]:
    """Return for each text the place of the first one that says the same or nearly the same: its
    own place, if there is none before it.
    """
    places: dict[int | str, int] = {}  # by the fingerprints of the first ones, or by few words
    firsts = []
    for place, body in enumerate(bodies):
        text = _text(body)
        marks = [text.same, *text.bands] if text.counts else [text.words]
        known = sorted({places[mark] for mark in marks if mark in places})
        first = next(
            (each for each in known if not text.counts or _is_near(text, _text(bodies[each]))),
            place,
        )
        if first == place:
            for mark in marks:
                places.setdefault(mark, place)
        firsts.append(first)
    return firsts


def _is_near(text: _Text, other: _Text) -> bool:
    return text.words == other.words or text.likeness(other) >= ALIKE


def fingerprints(batch: Sequence[Candidate]) -> list[FingerprintRow]:
    """Return rows for the fingerprints table, but none for texts that are too short to compare."""
    texts = ((candidate, _text(candidate.body)) for candidate in batch)
    return [
        {"site_id": candidate.site_id, "band": band, "comment_id": candidate.id, "at": candidate.at}
        for candidate, text in texts
        if text.counts
        for band in (text.same, *text.bands)
    ]


def _evidence(text: _Text, others: _Others, campaign: str | None) -> Evidence:
    found = {}
    if others.same:
        when = _when(others.same, others.same_lately)
        found["same"] = f"same text as {_counted(others.same, MOST_SAME)} in the last {when}"
    if others.similar:
        when = _when(others.similar, others.similar_lately)
        found["similar"] = (
            f"nearly the same text as {_counted(others.similar, MOST_SUSPECTS)} in the last {when}"
        )
    clear = (
        "no similar comment in the last day"
        if text.counts
        else ("too short to compare with other comments")
    )
    return Evidence(
        check="repeats",
        outcome=Outcome.FOUND if found else Outcome.CLEAR,
        detail="; ".join(found.values()) or clear,
        score=others.same + others.similar,
        found=found,
        counts={"same": others.same, "similar": others.similar},
        campaign=campaign,
    )


def _when(count: int, lately: int) -> str:
    """Say "in the last hour" if all of it was then."""
    if lately == count:
        return "hour"
    return f"day, {lately} of them in the last hour" if lately else "day"


def _counted(count: int, most: int) -> str:
    if count >= most:
        return f"{most} or more other comments"
    return "another comment" if count == 1 else f"{count} other comments"


def _campaigns(
    session: Session, batch: Sequence[Candidate], others: Mapping[str, _Others]
) -> dict[str, str]:
    """Return the campaign of each comment that has one: that of its first comment, or of the
    comment that it resembles.
    """
    resembled = {other.first for other in others.values() if other.first}
    if not resembled:
        return {}
    joined = select(Comment.id, Comment.campaign).where(
        Comment.id.in_(resembled), Comment.campaign.is_not(None)
    )
    known: dict[str, str] = {row.id: str(row.campaign) for row in session.execute(joined)}
    for candidate in sorted(batch, key=lambda candidate: (candidate.at, candidate.id)):
        if first := others[candidate.id].first:
            known[candidate.id] = known.get(first, first)
    return {candidate.id: known[candidate.id] for candidate in batch if others[candidate.id].first}


def _question(candidate: Candidate, band: int) -> Question:
    return {
        "id": candidate.id,
        "site": candidate.site_id,
        "band": band,
        "at": candidate.at,
        "since": candidate.at - WINDOW,
        "hour": candidate.at - HOUR,
    }


def _before(table: CTE, other: type[Fingerprint]) -> ColumnElement[bool]:
    """Return the given fingerprints that comments outside the batch left in the day before."""
    return and_(
        other.site_id == table.c.site,
        other.band == table.c.band,
        other.at > table.c.since,
        other.at <= table.c.at,
        other.comment_id.not_in(bindparam("batch", expanding=True)),
    )


def _add_same(
    session: Session,
    batch: Sequence[Candidate],
    texts: Mapping[str, _Text],
    others: Mapping[str, _Others],
) -> None:
    questions = [_question(candidate, texts[candidate.id].same) for candidate in batch]
    for row in _asked(session, _counting_same, questions, batch):
        other = others[row.id]
        other.same, other.same_lately = row.others, row.lately
        other.add_first(_dashed(row.first))


def _dashed(id_: str | None) -> str | None:
    return str(UUID(str(id_))) if id_ else None


def _asked(
    session: Session,
    statement: Callable[[str], Select[*_Columns]],
    questions: list[Question],
    batch: Sequence[Candidate],
) -> Sequence[Row[*_Columns]]:
    dialect = dialect_of(session)
    ids = [candidate.id for candidate in batch]
    return session.execute(statement(dialect), {**packed(dialect, questions), "batch": ids}).all()


@cache
def _counting_same(dialect: str) -> Select[str, int, int, str | None]:
    table = asked(dialect, _COLUMNS)
    found = (
        select(Fingerprint.at).where(_before(table, Fingerprint)).limit(MOST_SAME).correlate(table)
    )
    first = (
        select(Fingerprint.comment_id)
        .where(_before(table, Fingerprint))
        .order_by(Fingerprint.comment_id)
        .limit(1)
    )
    lately = (
        select(Fingerprint.at)
        .where(_before(table, Fingerprint), Fingerprint.at > table.c.hour)
        .limit(MOST_SAME)
    )
    return select(
        table.c.id,
        select(func.count()).select_from(found.subquery()).scalar_subquery().label("others"),
        select(func.count())
        .select_from(lately.correlate(table).subquery())
        .scalar_subquery()
        .label("lately"),
        first.correlate(table).scalar_subquery().label("first"),
    )


def _add_similar(
    session: Session,
    batch: Sequence[Candidate],
    texts: Mapping[str, _Text],
    others: Mapping[str, _Others],
) -> None:
    suspects = _suspects(session, batch, texts)
    wanted = {suspect for several in suspects.values() for suspect in several}
    if not wanted:
        return
    stored = select(Comment.id, Comment.body, Comment.at).where(
        Comment.id.in_(wanted), Comment.erased_at.is_(None)
    )
    found = {row.id: (_text(row.body), row.at) for row in session.execute(stored)}
    since = {candidate.id: candidate.at - HOUR for candidate in batch}
    for comment, several in suspects.items():
        alike = [
            id_ for id_ in several if id_ in found and _is_similar(texts[comment], found[id_][0])
        ]
        others[comment].similar = len(alike)
        others[comment].similar_lately = sum(found[id_][1] > since[comment] for id_ in alike)
        others[comment].add_first(*alike)


def _suspects(
    session: Session, batch: Sequence[Candidate], texts: Mapping[str, _Text]
) -> dict[str, list[str]]:
    """Return for each comment those that share a band with it: at most a few, those that share
    most.
    """
    questions = [
        _question(candidate, band) for candidate in batch for band in texts[candidate.id].bands
    ]
    shared = defaultdict[str, Counter[str]](Counter)
    for comment, suspect in _asked(session, _newest_of_a_band, questions, batch):
        shared[comment][suspect] += 1
    return {
        comment: [suspect for suspect, _ in bands.most_common(MOST_SUSPECTS)]
        for comment, bands in shared.items()
    }


@cache
def _newest_of_a_band(dialect: str) -> Select[str, str]:
    """Select only the newest comments of a band. PostgreSQL needs LATERAL, or it reads the whole
    table because it does not know that they are few. SQLite has no LATERAL.
    """
    table, other = asked(dialect, _COLUMNS), aliased(Fingerprint)
    newest = (
        select(other.comment_id)
        .where(_before(table, other))
        .order_by(other.comment_id.desc())
        .correlate(table)
    )
    if dialect == "postgresql":
        found = newest.limit(MOST_SUSPECTS).lateral("found")
        return select(table.c.id, found.c.comment_id).select_from(table.join(found, true()))
    first = newest.offset(MOST_SUSPECTS - 1).limit(1).scalar_subquery()
    is_newest = Fingerprint.comment_id >= func.coalesce(first, literal(_NO_ID, Uuid(as_uuid=False)))
    return select(table.c.id, Fingerprint.comment_id).join(
        Fingerprint, _before(table, Fingerprint) & is_newest
    )


def _is_similar(text: _Text, other: _Text) -> bool:
    return other.counts and text.words != other.words and text.likeness(other) >= ALIKE


def _add_neighbours(
    batch: Sequence[Candidate], texts: Mapping[str, _Text], others: Mapping[str, _Others]
) -> None:
    """Add comments of the same batch, which have no stored fingerprints yet: each is compared with
    those before it.
    """
    seen = defaultdict[tuple[int, int], list[Candidate]](list)
    for candidate in sorted(batch, key=lambda candidate: (candidate.at, candidate.id)):
        text, mine = texts[candidate.id], others[candidate.id]
        same = _within(seen[candidate.site_id, text.same], candidate.at - WINDOW)
        suspects = {
            other.id: other
            for band in text.bands
            for other in _within(
                seen[candidate.site_id, band][-MOST_SUSPECTS:], candidate.at - WINDOW
            )
        }
        similar = [other for other in suspects.values() if _is_similar(text, texts[other.id])]
        mine.same += len(same)
        mine.similar += len(similar)
        mine.same_lately += len(_within(same, candidate.at - HOUR))
        mine.similar_lately += len(_within(similar, candidate.at - HOUR))
        mine.add_first(*(other.id for other in (*same, *similar)))
        for band in (text.same, *text.bands):
            seen[candidate.site_id, band].append(candidate)


def _within(some: Sequence[Candidate], since: datetime) -> list[Candidate]:
    return [candidate for candidate in some if candidate.at > since]


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), signed=True)
