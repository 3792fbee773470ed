"""Labels for training a site's own models: what the standing human decision on each comment teaches
about each score.

- An approval teaches every score that the comment is good.
- A rejection for spam or abuse teaches that score that the comment is bad. A rejection for another
  reason teaches none. Without a reason it teaches the scores whose check found something then.
- A decision by an API key teaches only if the call or the key says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.judgement.evidence import Outcome, StoredEvidence
from models.judgement.policy import SamplePolicy
from models.judgement.scores import SCORES, SPAM
from models.records import Comment, DecisionRecord, PolicyVersion, Review, Screening
from models.settling.actor import Actor, Kind
from models.settling.history import BY_A_HUMAN, standing

MOST = 5000
_AT_ONCE = 500
Origin = Literal["queue", "blind sample", "teaching", "other"]


@dataclass(frozen=True, slots=True)
class Decided:
    """A comment with its standing human decision.

    - `lessons` says by score whether the comment is bad. A score that it lacks learns nothing.
    - `context` holds the counts that its screening made for the site's models.
    - `propensity` is the probability that a human would be asked about this comment; None if nobody
      knows it.
    """

    comment: str
    lessons: Mapping[str, bool]
    at: datetime
    body: str
    language: str
    context: dict[str, int]
    propensity: float | None = None
    origin: Origin = "other"
    by: Kind = Kind.MODERATOR

    @property
    def is_random(self) -> bool:
        """Whether the comment was drawn at random, so that it may judge a model."""
        return self.propensity is not None and self.propensity < 1


def labels(session: Session, site_id: int, most: int = MOST) -> list[Decided]:
    """The site's newest labels, in the order of the decisions. Flagged and erased comments give no
    label.
    """
    newest: list[Decided] = []
    for some in _chunks(_latest_of_each(session, site_id)):
        newest += _with_comments(session, site_id, some)
        if len(newest) >= most:
            break
    return newest[:most][::-1]


def lessons_of(
    verdict: str, reason: str | None, found: frozenset[str] = frozenset()
) -> dict[str, bool]:
    """Return what a decision teaches, by score: whether the comment is bad. `found` names the
    checks that had found something.
    """
    if verdict == "approve":
        return dict.fromkeys(SCORES, False)
    if verdict != "reject":
        return {}
    bad = found if reason is None else {reason}
    return {score: True for score in SCORES if score in bad}


class _Entry(NamedTuple):
    id: str
    by: str
    undoes: str | None
    comment_id: str
    verdict: str
    reason: str | None
    teaches: bool | None
    at: datetime

    @property
    def may_teach(self) -> bool:
        by_key = Actor.parse(self.by).kind is Kind.KEY
        return self.verdict in {"approve", "reject"} and (not by_key or self.teaches is True)


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
        .where(DecisionRecord.site_id == site_id, BY_A_HUMAN, DecisionRecord.edit_id.is_(None))
        .order_by(DecisionRecord.id.desc())
        .limit(_AT_ONCE)
    )
    page = [_Entry(*row) for row in session.execute(newest_first)]
    while page:
        yield page
        older = newest_first.where(DecisionRecord.id < page[-1].id)
        page = [_Entry(*row) for row in session.execute(older)]


def _chunks(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    """Split the decisions that may teach into lists short enough for one query."""
    chunk: list[_Entry] = []
    for entry in entries:
        if entry.may_teach:
            chunk.append(entry)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    yield chunk


def _with_comments(session: Session, site_id: int, some: Sequence[_Entry]) -> list[Decided]:
    ids = [each.comment_id for each in some]
    wanted = select(Comment.id, Comment.body, Comment.language).where(
        Comment.id.in_(ids), Comment.erased_at.is_(None)
    )
    comments = {row.id: row for row in session.execute(wanted)}
    screenings, reviews = _screenings(session, ids), _reviews(session, ids)
    shares = _Shares(session, site_id)
    decided = []
    for each in some:
        row = comments.get(each.comment_id)
        screened = _latest_before(screenings.get(each.comment_id, ()), each.at)
        lessons = lessons_of(each.verdict, each.reason, screened.found)
        if row is None or not lessons:
            continue
        asked = [found for found in reviews.get(each.comment_id, ()) if found.at <= each.at]
        decided.append(
            Decided(
                each.comment_id,
                lessons,
                each.at,
                row.body,
                row.language or "und",
                screened.counts,
                _propensity(asked, screened, shares),
                _origin(asked),
                Actor.parse(each.by).kind,
            )
        )
    return decided


class _Screened(NamedTuple):
    """What a screening found for the models."""

    at: datetime | None = None
    policy_version: int = 0
    found: frozenset[str] = frozenset()
    counts: dict[str, int] = {}  # noqa: RUF012 — nothing changes it


def _screenings(session: Session, ids: Sequence[str]) -> dict[str, list[_Screened]]:
    """Return the screenings of each comment, the oldest first."""
    wanted = select(
        Screening.comment_id, Screening.at, Screening.policy_version, Screening.evidence
    ).where(Screening.comment_id.in_(ids))
    found: dict[str, list[_Screened]] = {}
    for row in session.execute(wanted.order_by(Screening.number)):
        names = frozenset(
            item["check"] for item in row.evidence if item.get("outcome") == Outcome.FOUND
        )
        screened = _Screened(row.at, row.policy_version, names, _counts(row.evidence))
        found.setdefault(row.comment_id, []).append(screened)
    return found


def _latest_before(screenings: Sequence[_Screened], at: datetime) -> _Screened:
    """Return the screening that the decider could see."""
    known = [each for each in screenings if each.at and each.at <= at]
    return known[-1] if known else _Screened()


class _Asked(NamedTuple):
    """A review that asked for a decision."""

    cause: str
    at: datetime
    propensity: float | None


def _reviews(session: Session, ids: Sequence[str]) -> dict[str, list[_Asked]]:
    wanted = select(Review.comment_id, Review.cause, Review.opened_at, Review.propensity).where(
        Review.comment_id.in_(ids)
    )
    found: dict[str, list[_Asked]] = {}
    for comment, cause, at, propensity in session.execute(wanted):
        found.setdefault(comment, []).append(_Asked(cause, at, propensity))
    return found


def _origin(asked: Sequence[_Asked]) -> Origin:
    causes = {each.cause for each in asked}
    if "flagged" in causes:
        return "queue"
    if "sampled" in causes:
        return "blind sample"
    return "teaching" if "teaching" in causes else "other"


def _propensity(asked: Sequence[_Asked], screened: _Screened, shares: _Shares) -> float | None:
    """Return the largest propensity of the comment's reviews. Earlier releases stored none: their
    blind samples had the share that the policy gave then.
    """
    known = [each.propensity for each in asked if each.propensity is not None]
    if not known and any(each.cause == "sampled" for each in asked):
        known = list(filter(None, [shares.of_version(screened.policy_version)]))
    return max(known, default=None)


class _Shares:
    """The share of the blind sample in each version of a site's policy."""

    def __init__(self, session: Session, site_id: int) -> None:
        self._session, self._site_id = session, site_id
        self._known: dict[int, float] = {}

    def of_version(self, version: int) -> float:
        if version not in self._known:
            wanted = select(PolicyVersion.policy).where(
                PolicyVersion.site_id == self._site_id, PolicyVersion.version == version
            )
            policy = self._session.execute(wanted).scalar() or {}
            share = policy.get("sample", {}).get("share", SamplePolicy().share)
            self._known[version] = float(share)
        return self._known[version]


def contexts_of(session: Session, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """The counts that each comment's latest screening made for the site's models."""
    return {comment: rows[-1].counts for comment, rows in _screenings(session, ids).items()}


def _counts(evidence: Sequence[StoredEvidence]) -> dict[str, int]:
    return next((item.get("counts", {}) for item in evidence if item.get("check") == SPAM), {})
