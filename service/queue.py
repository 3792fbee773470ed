"""Which comments a list for moderators holds, and in which order: for the API and for the console."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from models.database import now
from models.identifiers import first_id, is_id
from models.records import Comment, DecisionRecord, Passed, Question, Review
from models.search import matching

STATUSES = ("pending", "flagged", "approved", "rejected")
TABS = ("review", "pending", "approved", "rejected", "unread", "asked", "all")
ORDERS = ("oldest", "newest", "risk")
CAUSES = ("flagged", "reported", "sampled", "appealed")
MOST_COUNTED = 10_000


def listed(status: str, site_ids: Collection[int], *, limit: int, after: str | None = None) -> Select[Comment]:
    """Oldest first, those after that id. `status` is one of `STATUSES`, or "review": whatever its status, a human is
    asked.

    A comment that a human is to judge blindly is listed with the flagged ones, whatever its status, and nowhere else.
    """
    if status in {"review", "flagged"}:
        of_these = _asked(site_ids, limit, after, flagged_only=status == "flagged")
        return select(Comment).where(Comment.id.in_(of_these)).order_by(Comment.id)
    wanted = _seen_as(status, site_ids)
    return (wanted.where(Comment.id > after) if after else wanted).order_by(Comment.id).limit(limit)


def listed_ids(status: str, site_ids: Collection[int], *, limit: int) -> Select[str]:
    """The ids alone of the oldest."""
    if status in {"review", "flagged"}:
        asked: Select[str] = _asked(site_ids, limit, None, flagged_only=status == "flagged")
        return asked
    return _seen_as(status, site_ids).with_only_columns(Comment.id).order_by(Comment.id).limit(limit)


def newest(status: str, site_ids: Collection[int], *, limit: int, before: str | None = None) -> Select[Comment]:
    """Newest first, those before that id."""
    wanted = _seen_as(status, site_ids)
    return (wanted.where(Comment.id < before) if before else wanted).order_by(Comment.id.desc()).limit(limit)


def _seen_as(status: str, site_ids: Collection[int]) -> Select[Comment]:
    wanted = select(Comment).where(Comment.site_id.in_(site_ids), Comment.status == status)
    return wanted.where(~_is_blind(Comment.id)) if status in {"approved", "rejected"} else wanted


def _is_blind(id_: Any) -> ColumnElement[bool]:
    """A human is to judge it without knowing what became of it."""
    return exists().where(Review.comment_id == id_, Review.blind, Review.closed_at.is_(None))


def _asked(site_ids: Collection[int], limit: int, after: str | None, *, flagged_only: bool) -> Any:
    """Read off the open reviews, in the order of their comments, and only as far as the list goes."""
    waiting = select(Review.comment_id).where(Review.site_id.in_(site_ids), Review.closed_at.is_(None))
    waiting = waiting.where(Review.comment_id > after) if after else waiting
    waiting = waiting.where((Review.cause == "flagged") | Review.blind) if flagged_only else waiting
    return waiting.distinct().order_by(Review.comment_id).limit(limit)


@dataclass(frozen=True, slots=True)
class View:
    """One list as it is asked for. `author` is the blind index of an email, `campaign` the first comment that said
    nearly the same; both days are included.

    `moderator_id` is whose list it is: what they left for another is not in it. `after` is a `Place` of this order.
    """

    tab: str = "review"
    order: str = "oldest"
    thread_id: int | None = None
    check: str = ""
    reason: str = ""
    language: str = ""
    author: str = ""
    campaign: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""
    moderator_id: str = ""

    def places(self, session: Session, sites: Sequence[int], *, limit: int, after: Place | None = None) -> list[Place]:
        """The next ones in this order over all the sites: each site is asked for as many as there is room, as an index
        has them in order by site.
        """
        found: dict[str, Place] = {}
        for site in sites:
            if (wanted := self._wanted(session, site, after)) is not None:
                for row in session.execute(wanted.limit(limit)):
                    found.setdefault(row.id, _place(row))
        ordered = sorted(found.values(), key=itemgetter(0, 1), reverse=self.order != "oldest")
        return ordered[:limit]

    def count(self, session: Session, sites: Sequence[int]) -> int:
        """Up to `MOST_COUNTED`: how many more there are nobody needs to know each time a page is drawn."""
        total = 0
        for site in sites:
            if total < MOST_COUNTED and (wanted := self._wanted(session, site, None, in_order=False)) is not None:
                some = wanted.limit(MOST_COUNTED - total).subquery()
                total += session.execute(select(func.count()).select_from(some)).scalar_one()
        return total

    def _wanted(self, session: Session, site: int, after: Place | None, *, in_order: bool = True) -> Select[Any] | None:
        """Rows of id and, in the order of risk, risk. None where the words asked for are none."""
        id_, risk = (Review.comment_id, Review.risk) if self.tab == "review" else (Comment.id, Comment.risk)
        by_risk = self.order == "risk"
        columns: list[Any] = [id_.label("id"), *([risk.label("risk")] if by_risk else [])]
        wanted: Select[Any] = select(*columns)
        wanted = self._of_the_tab(wanted, site)
        if self.words:
            says = matching(session, self.words, site)
            if says is None:
                return None
            wanted = wanted.where(id_.in_(says))
        wanted = wanted.where(*self._filters(id_))
        if after:
            wanted = wanted.where(_beyond(after, id_, risk, self.order))
        if not in_order:
            return wanted.distinct()
        if by_risk:
            return wanted.distinct().order_by(risk.desc(), id_.desc())
        return wanted.distinct().order_by(id_ if self.order == "oldest" else id_.desc())

    def _of_the_tab(self, wanted: Select[Any], site: int) -> Select[Any]:
        if self.tab == "review":
            wanted = wanted.where(Review.site_id == site, Review.closed_at.is_(None))
            if self._asks_of_the_comment():
                wanted = wanted.join(Comment, Comment.id == Review.comment_id)
            return wanted.where(Review.cause == self.reason) if self.reason in CAUSES else wanted
        wanted = wanted.where(Comment.site_id == site)
        if self.order == "risk":
            wanted = wanted.where(Comment.risk.is_not(None))
        if self.tab not in {"pending", "asked"}:
            wanted = wanted.where(~_is_blind(Comment.id))  # which list it is in would tell
        if self.tab == "unread":
            return wanted.where(text("comments.status = 'approved'"), Comment.seen_at.is_(None))  # as its index says it
        if self.tab == "asked":
            is_open = select(Question.comment_id).where(Question.site_id == site, Question.answered_at.is_(None))
            return wanted.where(Comment.id.in_(is_open))
        return wanted.where(Comment.status != "deleted" if self.tab == "all" else Comment.status == self.tab)

    def _asks_of_the_comment(self) -> bool:
        is_reason = self.reason and self.reason not in CAUSES
        return bool(self.thread_id or self.check or self.language or self.author or self.campaign or is_reason)

    def _filters(self, id_: Any) -> list[ColumnElement[bool]]:
        filters: list[ColumnElement[bool]] = []
        if self.thread_id is not None:
            filters.append(Comment.thread_id == self.thread_id)
        if self.check:
            filters.append(Comment.found.contains(f" {self.check} ", autoescape=True))
        if self.language:
            filters.append(Comment.language == self.language)
        if self.author:
            filters.append(Comment.email_index == self.author)
        if self.campaign:
            filters.append(of_the_campaign(self.campaign))
        if self.reason and self.reason not in CAUSES:
            filters.append(
                exists().where(DecisionRecord.comment_id == Comment.id, DecisionRecord.reason == self.reason)
            )
        if self.since:
            filters.append(id_ >= first_id(_midnight(self.since)))
        if self.until:
            filters.append(id_ < first_id(_midnight(self.until + timedelta(days=1))))
        if self.moderator_id and self.tab == "review":
            left = exists().where(Passed.moderator_id == self.moderator_id, Passed.comment_id == id_)
            filters.append(~left)
        return filters


def of_the_campaign(first: str) -> ColumnElement[bool]:
    """The comment that was first to say it, and all that said nearly the same."""
    return or_(Comment.id == first, Comment.campaign == first)


class Place(NamedTuple):
    """Where a comment stands in a list; written out it is the list's cursor."""

    risk: float
    id: str

    def __str__(self) -> str:
        return f"{self.risk:.17g}~{self.id}" if self.risk else self.id

    @classmethod
    def read(cls, text: str) -> Place | None:
        """What was written out. None for anything else."""
        risk, _, id_ = text.rpartition("~")
        try:
            return cls(float(risk or 0), id_) if is_id(id_) and len(risk) < 30 else None
        except ValueError:
            return None


def _place(row: Row[Any]) -> Place:
    return Place(row.risk if len(row) > 1 and row.risk is not None else 0.0, row.id)


def _beyond(after: Place, id_: Any, risk: Any, order: str) -> ColumnElement[bool]:
    if order == "risk":
        return or_(risk < after.risk, and_(risk == after.risk, id_ < after.id))
    return bool_of(id_ > after.id) if order == "oldest" else bool_of(id_ < after.id)


def bool_of(condition: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = condition
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=now().tzinfo)
