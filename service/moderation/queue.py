"""Which comments a list for moderators holds, and in which order: for the API and for
the console.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.elements import ColumnElement

from models.identifiers import first_id, is_id
from models.records import Comment, DecisionRecord, Passed, Question, Review
from models.settling.history import BY_A_HUMAN
from models.store.database import now
from models.store.search import matching
from service.people.names import MODERATOR, ROLES

STATUSES = ("pending", "flagged", "approved", "rejected")
TABS = ("review", "pending", "approved", "rejected", "unread", "asked", "all")
ORDERS = ("oldest", "newest", "risk", "due")
ASCENDING = ("oldest", "due")
CAUSES = ("flagged", "reported", "sampled", "appealed")
MOST_COUNTED = 1_000
SOME_ALIKE = 200
MOST_NAMED = 2_000  # of an author or a campaign, the newest
ANSWERED_FOR = timedelta(days=30)  # an answer stands in the list of whoever asked
LATEST = 32_503_680_000  # the year 3000: no cursor of ours is beyond it


def listed(
    status: str, site_ids: Collection[int], *, limit: int, after: str | None = None
) -> Select[Comment]:
    """Oldest first, those after that id. `status` is one of `STATUSES`, or "review": whatever its
    status, a human is asked.

    A comment that a human is to judge blindly is listed with the flagged ones, whatever its status,
    and nowhere else.
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
    return (
        _seen_as(status, site_ids).with_only_columns(Comment.id).order_by(Comment.id).limit(limit)
    )


def newest(
    status: str, site_ids: Collection[int], *, limit: int, before: str | None = None
) -> Select[Comment]:
    """Newest first, those before that id."""
    wanted = _seen_as(status, site_ids)
    return (
        (wanted.where(Comment.id < before) if before else wanted)
        .order_by(Comment.id.desc())
        .limit(limit)
    )


def _seen_as(status: str, site_ids: Collection[int]) -> Select[Comment]:
    wanted = select(Comment).where(Comment.site_id.in_(site_ids), Comment.status == status)
    return wanted.where(~_is_blind(Comment.id)) if status in {"approved", "rejected"} else wanted


def _is_blind(id_: Any) -> ColumnElement[bool]:
    """A human is to judge it without knowing what became of it."""
    return exists().where(Review.comment_id == id_, Review.blind, Review.closed_at.is_(None))


def _asked(site_ids: Collection[int], limit: int, after: str | None, *, flagged_only: bool) -> Any:
    """Read off the open reviews, in the order of their comments, and only as far as
    the list goes.
    """
    waiting = select(Review.comment_id).where(
        Review.site_id.in_(site_ids), Review.closed_at.is_(None)
    )
    waiting = waiting.where(Review.comment_id > after) if after else waiting
    waiting = waiting.where((Review.cause == "flagged") | Review.blind) if flagged_only else waiting
    return waiting.distinct().order_by(Review.comment_id).limit(limit)


@dataclass(frozen=True, slots=True)
class View:
    """One list as it is asked for. `author` is the blind index of an email, `campaign` the first
    comment that said nearly the same; both days are included.

    `moderator_id` is whose list it is: what they left for another is not in it; `roles` are theirs
    by site. `after` is a `Place` of this order.
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
    roles: Mapping[int, str] = field(default_factory=dict)

    def places(
        self, session: Session, sites: Sequence[int], *, limit: int, after: Place | None = None
    ) -> list[Place]:
        """The next ones in this order over all the sites: each site is asked for as many as there
        is room, as an index has them in order by site.
        """
        found: dict[str, Place] = {}
        for site in sites:
            if (wanted := self._wanted(session, site, after)) is not None:
                for row in session.execute(wanted.limit(limit)):
                    found.setdefault(row.id, _place(row))
        return self._first(found.values(), limit)

    def places_of_campaigns(
        self, session: Session, sites: Sequence[int], firsts: Collection[str], *, limit: int
    ) -> dict[str, list[Place]]:
        """The first ones of each campaign, of some two hundred of it. The query is made once for
        all of them.
        """
        found: dict[str, list[Place]] = {first: [] for first in firsts}
        id_ = Review.comment_id if self.tab == "review" else Comment.id
        for site in sites if firsts else ():
            if (wanted := self._wanted(session, site, None)) is not None:
                alike = of_the_campaign(bindparam("first"), site, most=SOME_ALIKE)
                wanted = wanted.where(id_.in_(alike)).limit(limit)
                for first, places in found.items():
                    places += [_place(row) for row in session.execute(wanted, {"first": first})]
        return {first: self._first(places, limit) for first, places in found.items()}

    def _first(self, places: Iterable[Place], limit: int) -> list[Place]:
        return sorted(places, key=itemgetter(0, 1), reverse=self.order not in ASCENDING)[:limit]

    def count(self, session: Session, sites: Sequence[int]) -> int:
        """Up to `MOST_COUNTED`: how many more there are nobody needs to know each time a page is
        drawn.
        """
        total = 0
        for site in sites:
            if (
                total < MOST_COUNTED
                and (wanted := self._wanted(session, site, None, in_order=False)) is not None
            ):
                some = wanted.limit(MOST_COUNTED - total).subquery()
                total += session.execute(select(func.count()).select_from(some)).scalar_one()
        return total

    def _wanted(
        self, session: Session, site: int, after: Place | None, *, in_order: bool = True
    ) -> Select[Any] | None:
        """Rows of id and, in the order of risk or of what is due, that. None where there can be
        none.
        """
        id_, risk = (
            (Review.comment_id, Review.risk) if self.tab == "review" else (Comment.id, Comment.risk)
        )
        by = {"risk": risk, "due": Review.due_at}.get(self.order)
        columns: list[Any] = [id_.label("id"), *([by.label("rank")] if by is not None else [])]
        wanted: Select[Any] = select(*columns)
        few = self._few(session, site)
        if few is not None and not few:
            return None
        wanted = self._of_the_tab(wanted, site, few)
        wanted = wanted.where(*self._filters(id_))
        if after:
            wanted = wanted.where(_beyond(after, id_, by, self.order))
        if self.order == "due":
            wanted = wanted.where(~_is_due_before())
        if self.tab == "review":
            wanted = wanted.distinct()  # a comment may be there for two causes
        if not in_order:
            return wanted
        if by is not None:
            return wanted.order_by(*((by, id_) if self.order == "due" else (by.desc(), id_.desc())))
        return wanted.order_by(id_ if self.order == "oldest" else id_.desc())

    def _few(self, session: Session, site: int) -> set[str] | None:
        """The only comments of the site that the list can hold, where what is asked for names them:
        looked up first. How few they are no planner can know, and it would rather walk everything
        in the order of the list.
        """
        lookups: list[Select[Any] | CompoundSelect[Any] | None] = []
        if self.words:
            lookups.append(matching(session, self.words, site))
        if self.author:
            theirs = select(Comment.id).where(
                Comment.site_id == site, Comment.email_index == self.author
            )
            lookups.append(theirs.order_by(Comment.at.desc()).limit(MOST_NAMED))
        if self.campaign:
            lookups.append(of_the_campaign(self.campaign, site, most=MOST_NAMED))
        if self.tab == "asked":
            lookups.append(self._asked_of_me(site).limit(MOST_NAMED))
        found = [
            set(session.scalars(lookup).all()) if lookup is not None else set[str]()
            for lookup in lookups
        ]
        return set.intersection(*found) if found else None

    def _of_the_tab(
        self, wanted: Select[Any], site: int, few: Collection[str] | None
    ) -> Select[Any]:
        if self.tab == "review":
            wanted = wanted.where(Review.site_id == site, Review.closed_at.is_(None))
            if few is not None:
                wanted = wanted.where(Review.comment_id.in_(few))
            if self._asks_of_the_comment():
                wanted = wanted.join(Comment, Comment.id == Review.comment_id)
            return wanted.where(Review.cause == self.reason) if self.reason in CAUSES else wanted
        # Few are of the site already; asked for its comments as well, SQLite would walk all of
        # those.
        wanted = wanted.where(Comment.site_id == site if few is None else Comment.id.in_(few))
        if self.order == "risk":
            wanted = wanted.where(Comment.risk.is_not(None))
        if self.tab not in {"pending", "asked"}:
            wanted = wanted.where(~_is_blind(Comment.id))  # which list it is in would tell
        if self.tab == "unread":
            return wanted.where(
                text("comments.status = 'approved'"), Comment.seen_at.is_(None)
            )  # as its index says it
        if self.tab == "asked":
            return wanted
        return wanted.where(
            Comment.status != "deleted" if self.tab == "all" else Comment.status == self.tab
        )

    def _asked_of_me(self, site: int) -> Select[Any]:
        """What one, or one's role, is asked; and what one asked and was answered, while the comment
        still waits.
        """
        me, mine = f"{MODERATOR}{self.moderator_id}", self.roles.get(site, ROLES[0])
        whom = (me, *ROLES[: ROLES.index(mine) + 1])
        waits = exists().where(Review.comment_id == Question.comment_id, Review.closed_at.is_(None))
        is_open = Question.answered_at.is_(None) & Question.whom.in_(whom) & (Question.by != me)
        came_back = (Question.answered_at > now() - ANSWERED_FOR) & (Question.by == me) & waits
        return select(Question.comment_id).where(Question.site_id == site, or_(is_open, came_back))

    def _asks_of_the_comment(self) -> bool:
        is_reason = self.reason and self.reason not in CAUSES
        return bool(self.thread_id or self.check or self.language or is_reason)

    def _filters(self, id_: Any) -> list[ColumnElement[bool]]:
        filters: list[ColumnElement[bool]] = []
        if self.thread_id is not None:
            filters.append(Comment.thread_id == self.thread_id)
        if self.check:
            filters.append(Comment.found.contains(f" {self.check} ", autoescape=True))
        if self.language:
            filters.append(Comment.language == self.language)
        if self.reason and self.reason not in CAUSES:
            filters.append(
                exists().where(
                    DecisionRecord.comment_id == Comment.id, DecisionRecord.reason == self.reason
                )
            )
        if self.since:
            filters.append(id_ >= first_id(_midnight(self.since)))
        if self.until:
            filters.append(id_ < first_id(_midnight(self.until + timedelta(days=1))))
        if self.moderator_id and self.tab == "review":
            left = exists().where(
                Passed.moderator_id == self.moderator_id, Passed.comment_id == id_
            )
            filters.append(~left)
        return filters


def of_the_campaign(
    first: str | BindParameter[str], site: int, *, most: int
) -> CompoundSelect[str]:
    """Ids of the comment that was first to say it and of up to so many that said nearly the same.
    The site is asked for last: before that, SQLite would walk all of its comments.
    """
    alike = (
        select(Comment.id, Comment.site_id).where(Comment.campaign == first).limit(most).subquery()
    )
    the_first = select(Comment.id).where(Comment.id == first, Comment.site_id == site)
    return union_all(the_first, select(alike.c.id).where(alike.c.site_id == site))


def _is_due_before() -> ColumnElement[bool]:
    """The comment waits for another cause, too, and for that one sooner: it stands there."""
    other = aliased(Review)
    same = (other.comment_id == Review.comment_id) & other.closed_at.is_(None)
    return exists().where(same, other.due_at < Review.due_at)


class Place(NamedTuple):
    """Where a comment stands in a list; written out it is the list's cursor. `rank` is its risk, or
    when it is due.
    """

    rank: float
    id: str

    def __str__(self) -> str:
        return f"{self.rank:.17g}~{self.id}" if self.rank else self.id

    @classmethod
    def read(cls, text: str) -> Place | None:
        """What was written out. None for anything else."""
        rank, _, id_ = text.rpartition("~")
        try:
            place = cls(float(rank or 0), id_) if is_id(id_) and len(rank) < 30 else None
        except ValueError:
            return None
        return place if place and 0 <= place.rank < LATEST else None

    @property
    def due(self) -> datetime:
        return datetime.fromtimestamp(self.rank, UTC)


def _place(row: Row[Any]) -> Place:
    rank = row.rank if len(row) > 1 else None
    return Place(rank.timestamp() if isinstance(rank, datetime) else rank or 0.0, row.id)


def _beyond(after: Place, id_: Any, by: Any, order: str) -> ColumnElement[bool]:
    if order == "risk":
        return or_(by < after.rank, and_(by == after.rank, id_ < after.id))
    if order == "due":
        return or_(by > after.due, and_(by == after.due, id_ > after.id))
    return bool_of(id_ > after.id) if order == "oldest" else bool_of(id_ < after.id)


def bool_of(condition: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = condition
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=now().tzinfo)


def see(session: Session, ids: Sequence[str]) -> None:
    """A human has read these; who was first is kept."""
    unread = Comment.id.in_(ids) & Comment.seen_at.is_(None)
    session.execute(update(Comment).where(unread).values(seen_at=now()))


def unsee(session: Session, ids: Sequence[str]) -> None:
    """They are unread again, but for those that a human has decided."""
    decided = select(DecisionRecord.id).where(DecisionRecord.comment_id == Comment.id, BY_A_HUMAN)
    session.execute(
        update(Comment).where(Comment.id.in_(ids), ~decided.exists()).values(seen_at=None)
    )


class Coverage(NamedTuple):
    """Of the newest comments that are live, how many a human has seen."""

    seen: int
    of: int

    @property
    def percent(self) -> int:
        """100 only where it is all of them."""
        return 100 if self.seen == self.of else min(99, round(100 * self.seen / self.of))


def coverage(session: Session, sites: Collection[int]) -> Coverage:
    """Of each site's last thousand: for a newsroom that reads everything, how far it has come."""
    seen = of = 0
    for site in sites:
        live = select(Comment.seen_at).where(Comment.site_id == site, Comment.status == "approved")
        newest_first = live.order_by(Comment.id.desc()).limit(MOST_COUNTED).subquery()
        counted = session.execute(
            select(func.count(newest_first.c.seen_at), func.count()).select_from(newest_first)
        )
        row = counted.one()
        seen, of = seen + row[0], of + row[1]
    return Coverage(seen, of)
