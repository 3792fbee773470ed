"""Read what the quality figures of a site are computed from: how many comments the machine put into
each group, and what humans said about them.

The group of a comment is the machine's: the status before its first human decision, or its status
now if no human decided it.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.orm import Session

from models.identifiers import first_id
from models.judgement.policy import Policy
from models.judgement.quality import HELD, LIVE, REJECTED, Answer
from models.records import Comment, DecisionRecord, PolicyVersion, Review
from models.settling.history import BY_A_HUMAN
from models.settling.sampling import draw_of

GROUP_OF = {"approved": LIVE, "flagged": HELD, "rejected": REJECTED}
GOOD, BAD = "approve", "reject"
UNKNOWN_LANGUAGE = "und"
# Held comments of the blind sample wait in the queue like all others. A teaching pick is blind,
# too, but not drawn by chance.
DRAWN = Review.blind & (Review.cause == "sampled")

# Comments from before the column have only the checks that found something.
CHECKS = func.coalesce(Comment.held_by, Comment.found).label("checks")


class Period(NamedTuple):
    """A part of a month in which the blind sample had one share."""

    month: str
    share: float
    since: datetime
    until: datetime


class Place(NamedTuple):
    """Where a count belongs."""

    month: str
    language: str
    share: float


class Held(NamedTuple):
    """Held comments of a kind: these `checks` held them. `is_good` is None while they wait for a
    human.
    """

    month: str
    language: str
    checks: str
    is_good: bool | None


class Reversals(NamedTuple):
    """Decisions by humans that did not last. `changed` means that a human later decided the
    opposite. The last two count what moderators corrected outside the blind sample.
    """

    decisions: int = 0
    undone: int = 0
    changed: int = 0
    taken_down: int = 0
    restored: int = 0


class Facts(NamedTuple):
    """All numbers of one span of time. `groups` and `answers` have the live and the rejected
    comments, `held` the others.
    """

    groups: Mapping[tuple[Place, str], int]
    answers: Mapping[tuple[Place, str], Sequence[Answer]]
    held: Mapping[Held, int]
    open_samples: int
    reversals: Reversals


def facts(session: Session, site_id: int, months: Sequence[datetime]) -> Facts:
    """Return the facts about the comments that arrived from the first of these moments to the last.
    Each moment is the beginning of a month.
    """
    periods = list(_periods(months, _shares(session, site_id)))
    groups = Counter[tuple[Place, str]]()
    held = Counter[Held]()
    for row in session.execute(_decided_by_status(site_id, periods)):
        groups[_place(periods[row.period], row.language), GROUP_OF[row.status]] += row.comments
    for row in session.execute(_waiting_by_checks(site_id, periods)):
        place = _place(periods[row.period], row.language)
        held[Held(place.month, place.language, row.checks or "", None)] += row.comments
    blind = {row.comment_id: row.closed_by for row in session.execute(_blind(site_id, months[0]))}
    answers = defaultdict[tuple[Place, str], list[Answer]](list)
    reversals = Counter[str]()
    for touched in _touched(session, site_id, periods):
        _move_to_its_group(touched, groups, held)
        reversals.update(_reversals(touched, is_blind=touched.comment.id in blind))
        answer = touched.standing(blind.get(touched.comment.id))
        if answer and touched.group in (LIVE, REJECTED):
            drawn = Answer(answer.verdict == GOOD, draw_of(touched.comment.id))
            answers[touched.place, touched.group].append(drawn)
    return Facts(
        groups=groups,
        answers=answers,
        held=held,
        open_samples=int(session.execute(_open_samples(site_id, periods)).scalar_one()),
        reversals=Reversals(**reversals),
    )


def _shares(session: Session, site_id: int) -> list[tuple[datetime | None, float]]:
    """Return each share that the blind sample has had, with its first moment. A site's first policy
    is not stored, so the default stands for it.
    """
    share = PolicyVersion.policy["sample"]["share"].as_float()
    saved = select(PolicyVersion.at, share).where(PolicyVersion.site_id == site_id)
    shares: list[tuple[datetime | None, float]] = [(None, Policy().sample.share)]
    for at, value in session.execute(saved.order_by(PolicyVersion.version)):
        if value is not None and value != shares[-1][1]:
            shares.append((at, value))
    return shares


def _periods(
    months: Sequence[datetime], shares: Sequence[tuple[datetime | None, float]]
) -> Iterator[Period]:
    changes = [at for at, _ in shares if at is not None and months[0] < at < months[-1]]
    ends = sorted({*months, *changes})
    for since, until in itertools.pairwise(ends):
        share = [value for at, value in shares if at is None or at <= since][-1]
        yield Period(f"{since:%Y-%m}", share, since, until)


def _of_site(site_id: int, periods: Sequence[Period], *columns: Any) -> Select[Any]:
    """Select columns of the comments that arrived in these periods, beginning with the number of
    the period. A comment's identifier is at least as new as the comment.
    """
    period = case(
        *((Comment.at < each.until, literal(number)) for number, each in enumerate(periods))
    )
    return select(period.label("period"), Comment.language, *columns).where(
        Comment.site_id == site_id,
        Comment.id >= first_id(periods[0].since),
        Comment.at >= periods[0].since,
        Comment.at < periods[-1].until,
    )


def _decided_by_status(site_id: int, periods: Sequence[Period]) -> Select[Any]:
    columns = _of_site(site_id, periods, Comment.status, func.count().label("comments"))
    decided = columns.where(Comment.status.in_(("approved", "rejected")))
    return decided.group_by("period", Comment.language, Comment.status)


def _waiting_by_checks(site_id: int, periods: Sequence[Period]) -> Select[Any]:
    columns = _of_site(site_id, periods, CHECKS, func.count().label("comments"))
    waiting = columns.where(Comment.status == "flagged")
    return waiting.group_by("period", Comment.language, CHECKS)


def _blind(site_id: int, since: datetime) -> Select[str, str | None]:
    """Select each comment of the blind sample that a human decided, with that decision."""
    closed = select(Review.comment_id, Review.closed_by).where(
        Review.site_id == site_id, DRAWN, Review.id >= first_id(since)
    )
    return closed.where(Review.closed_by.is_not(None))


def _open_samples(site_id: int, periods: Sequence[Period]) -> Select[Any]:
    still_open = select(func.count()).select_from(Review)
    return still_open.join(Comment, Comment.id == Review.comment_id).where(
        Review.site_id == site_id,
        DRAWN,
        Review.id >= first_id(periods[0].since),
        Review.closed_at.is_(None),
        Comment.at >= periods[0].since,
        Comment.at < periods[-1].until,
    )


class _Entry(NamedTuple):
    """A human's decision on a comment."""

    id: str
    verdict: str
    was: str
    becomes: str
    undoes: str | None

    @property
    def is_answer(self) -> bool:
        """Whether it says that the comment is good or bad. An erasure says neither."""
        is_verdict = self.verdict in (GOOD, BAD) and self.becomes != "deleted"
        return is_verdict and self.undoes is None


class _Comment(NamedTuple):
    """A comment as it is now."""

    id: str
    status: str
    checks: str | None


class _Touched:
    """A comment that a human decided at least once, with all those decisions in order."""

    def __init__(self, period: Period, language: str | None, comment: _Comment) -> None:
        self.place = _place(period, language)
        self.comment = comment
        self.entries: list[_Entry] = []

    @property
    def group(self) -> str | None:
        """The machine's group. None if a human decided before the machine did."""
        return GROUP_OF.get(self.entries[0].was)

    @cached_property
    def undone(self) -> set[str]:
        return {each.undoes for each in self.entries if each.undoes}

    @cached_property
    def answers(self) -> list[_Entry]:
        """The answers that nobody undid."""
        return [each for each in self.entries if each.is_answer and each.id not in self.undone]

    def standing(self, decision: str | None) -> _Entry | None:
        """Return that decision, if it is an answer and nobody undid it."""
        return next((each for each in self.answers if each.id == decision), None)

    def held(self, is_good: bool | None) -> Held:
        return Held(self.place.month, self.place.language, self.comment.checks or "", is_good)


def _touched(session: Session, site_id: int, periods: Sequence[Period]) -> Iterable[_Touched]:
    comment = (Comment.id, Comment.status, CHECKS)
    entry = [getattr(DecisionRecord, name) for name in _Entry._fields]
    log = _of_site(site_id, periods, *comment, *entry)
    log = log.join(DecisionRecord, DecisionRecord.comment_id == Comment.id).where(
        DecisionRecord.site_id == site_id,
        DecisionRecord.edit_id.is_(None),
        BY_A_HUMAN,
        DecisionRecord.id >= first_id(periods[0].since),
    )
    found: dict[str, _Touched] = {}
    for period, language, id_, status, checks, *decision in session.execute(
        log.order_by(DecisionRecord.id)
    ):
        if id_ not in found:
            found[id_] = _Touched(periods[period], language, _Comment(id_, status, checks))
        found[id_].entries.append(_Entry(*decision))
    return found.values()


def _move_to_its_group(
    touched: _Touched, groups: Counter[tuple[Place, str]], held: Counter[Held]
) -> None:
    """Count the comment in the machine's group instead of the one that its status names."""
    status = GROUP_OF.get(touched.comment.status)
    if status == HELD:
        held[touched.held(None)] -= 1
    elif status:
        groups[touched.place, status] -= 1
    if touched.group == HELD:
        is_good = touched.answers[-1].verdict == GOOD if touched.answers else None
        held[touched.held(is_good)] += 1
    elif touched.group:
        groups[touched.place, touched.group] += 1


def _reversals(touched: _Touched, *, is_blind: bool) -> Iterator[str]:
    """Yield the name of each count that this comment adds to."""
    for entry in touched.entries:
        if entry.is_answer:
            yield "decisions"
        if entry.id in touched.undone:
            yield "undone"
    for earlier, later in itertools.pairwise(touched.answers):
        if earlier.verdict != later.verdict:
            yield "changed"
    if touched.answers and not is_blind:
        last = touched.answers[-1].verdict
        if touched.group == LIVE and last == BAD:
            yield "taken_down"
        if touched.group == REJECTED and last == GOOD:
            yield "restored"


def _place(period: Period, language: str | None) -> Place:
    return Place(period.month, language or UNKNOWN_LANGUAGE, period.share)
