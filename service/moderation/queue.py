"""The lists of comments for moderators: which comments, in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from email_validator import EmailNotValidError
from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Row,
    Select,
    SQLColumnExpression,
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
from models.records.review import OF_READERS, WAITS
from models.settling.history import BY_A_HUMAN
from models.store.database import now
from models.store.search import matching
from models.store.secrets import email_index
from models.text.email import parsed_email
from service.people.names import MODERATOR, ROLES

TABS = ("review", "pending", "approved", "rejected", "unread", "asked", "all")
ORDERS = ("oldest", "newest", "risk", "due")
ASCENDING = ("oldest", "due")
READERS = "readers"  # stands for every cause for which a reader waits
CAUSES = ("flagged", "reported", "notice", "appealed", "edited", "sampled")
MOST_COUNTED = 1_000
SOME_ALIKE = 200
MOST_NAMED = 2_000  # the newest comments of an author or a campaign
ANSWERED_FOR = timedelta(days=30)  # an answer appears in the list of the person who asked
LATEST = 32_503_680_000  # the year 3000: none of our cursors is beyond it

Id = SQLColumnExpression[str]
Rank = SQLColumnExpression[float | None] | SQLColumnExpression[datetime | None]
Rows = Select[Any]  # of an id and, in some orders, of a rank; no static type can say that


def listed(
    status: str, site_ids: Collection[int], *, limit: int, after: str | None = None
) -> Select[Comment]:
    """Return the oldest comments, from `after` on, of that status. The status "review" means every
    comment with an open review, whatever its own status.

    A comment that a moderator must judge blindly appears with the flagged ones and nowhere else.
    """
    if status in {"review", "flagged"}:
        ids = _under_review(site_ids, limit, after, flagged_only=status == "flagged")
        return select(Comment).where(Comment.id.in_(ids)).order_by(Comment.id)
    comments = _of_status(status, site_ids)
    if after:
        comments = comments.where(Comment.id > after)
    return comments.order_by(Comment.id).limit(limit)


def listed_for(
    cause: str, site_ids: Collection[int], *, limit: int, after: str | None = None
) -> Select[Comment]:
    """Return the oldest comments, from `after` on, with an open review of that cause."""
    ids = select(Review.comment_id).where(
        Review.site_id.in_(site_ids), WAITS, Review.cause == cause
    )
    if after:
        ids = ids.where(Review.comment_id > after)
    ids = ids.order_by(Review.comment_id).limit(limit)
    return select(Comment).where(Comment.id.in_(ids)).order_by(Comment.id)


def listed_ids(status: str, site_ids: Collection[int], *, limit: int) -> Select[str]:
    """Return the ids of the oldest comments of a status."""
    if status in {"review", "flagged"}:
        return _under_review(site_ids, limit, None, flagged_only=status == "flagged")
    ids = _of_status(status, site_ids).with_only_columns(Comment.id)
    return ids.order_by(Comment.id).limit(limit)


def newest(
    status: str, site_ids: Collection[int], *, limit: int, before: str | None = None
) -> Select[Comment]:
    """Return the newest comments of a status, from `before` on."""
    comments = _of_status(status, site_ids)
    if before:
        comments = comments.where(Comment.id < before)
    return comments.order_by(Comment.id.desc()).limit(limit)


def _of_status(status: str, site_ids: Collection[int]) -> Select[Comment]:
    comments = select(Comment).where(Comment.site_id.in_(site_ids), Comment.status == status)
    return (
        comments.where(~_is_blind(Comment.id)) if status in {"approved", "rejected"} else comments
    )


def _is_blind(id_: Id) -> ColumnElement[bool]:
    """Whether a moderator must judge the comment without knowing Greenroom's decision."""
    return exists().where(Review.comment_id == id_, Review.blind, Review.closed_at.is_(None))


def _under_review(
    site_ids: Collection[int], limit: int, after: str | None, *, flagged_only: bool
) -> Select[str]:
    """Return ids from the open reviews, in order, and only as many as the list shows."""
    ids = select(Review.comment_id).where(Review.site_id.in_(site_ids), WAITS)
    if after:
        ids = ids.where(Review.comment_id > after)
    if flagged_only:
        ids = ids.where((Review.cause == "flagged") | Review.blind)
    return ids.distinct().order_by(Review.comment_id).limit(limit)


@dataclass(frozen=True, slots=True)
class View:
    """One list, with its order and its filters.

    - `author` is the blind index of an email address. `campaign` is the first comment of those that
      say nearly the same. `since` and `until` are both included.
    - `moderator_id` is the reader of the list: comments that they passed on are left out. `roles`
      are the reader's, by site.
    - On the sites `by_email_on`, `words` that are an email address also find the comments written
      under it.
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
    by_email_on: Collection[int] = ()
    moderator_id: str = ""
    roles: Mapping[int, str] = field(default_factory=dict)

    def places(
        self, session: Session, sites: Sequence[int], *, limit: int, after: Place | None = None
    ) -> list[Place]:
        """Return the next places in this order, over all sites.

        One query per site, each with the whole limit: an index has the comments in order by site.
        """
        places: dict[str, Place] = {}
        for site in sites:
            rows = self._rows(session, site, after)
            if rows is not None:
                for row in session.execute(rows.limit(limit)):
                    places.setdefault(row.id, _place(row))
        return self._first(places.values(), limit)

    def places_of_campaigns(
        self, session: Session, sites: Sequence[int], firsts: Collection[str], *, limit: int
    ) -> dict[str, list[Place]]:
        """Return the first places of each campaign, out of at most `SOME_ALIKE` comments. The
        statement is built once per site and run for each campaign.
        """
        places: dict[str, list[Place]] = {first: [] for first in firsts}
        for site in sites if firsts else ():
            rows = self._rows(session, site, None)
            if rows is None:
                continue
            alike = of_the_campaign(bindparam("first"), site, most=SOME_ALIKE)
            rows = rows.where(self._id.in_(alike)).limit(limit)
            for first in firsts:
                places[first] += map(_place, session.execute(rows, {"first": first}))
        return {first: self._first(of_one, limit) for first, of_one in places.items()}

    def _first(self, places: Iterable[Place], limit: int) -> list[Place]:
        in_order = sorted(places, key=itemgetter(0, 1), reverse=self.order not in ASCENDING)
        return in_order[:limit]

    def is_beyond(self, place: Place, other: Place) -> bool:
        """Whether a place comes after another one in this order."""
        return place > other if self.order in ASCENDING else place < other

    def count(self, session: Session, sites: Sequence[int]) -> int:
        """Return how many comments the list has, up to `MOST_COUNTED`: counting further would be
        slow, and the page shows "1000+".
        """
        total = 0
        for site in sites:
            if total >= MOST_COUNTED:
                break
            rows = self._rows(session, site, None, in_order=False)
            if rows is not None:
                counted = rows.limit(MOST_COUNTED - total).subquery()
                total += session.execute(select(func.count()).select_from(counted)).scalar_one()
        return total

    @property
    def _id(self) -> Id:
        return Review.comment_id if self.tab == "review" else Comment.id

    @property
    def _rank(self) -> Rank | None:
        """Return the column that orders the list before the id does."""
        if self.order == "risk":
            return Review.risk if self.tab == "review" else Comment.risk
        return Review.due_at if self.order == "due" else None

    def _rows(
        self, session: Session, site: int, after: Place | None, *, in_order: bool = True
    ) -> Rows | None:
        """Return rows of `id` and, if the order has one, `rank`. Return None if the list must be
        empty.
        """
        only = self._only(session, site)
        if only is not None and not only:
            return None
        rank = self._rank
        rows: Rows = select(self._id.label("id"))
        if rank is not None:
            rows = rows.add_columns(rank.label("rank"))
        rows = self._of_the_tab(rows, site, only).where(*self._filters())
        if after:
            rows = rows.where(self._beyond(after))
        if self.order == "due":
            rows = rows.where(~_is_due_before())
        if self.tab == "review":
            rows = rows.distinct()  # a comment may have two open reviews
        return self._sorted(rows) if in_order else rows

    def _sorted(self, rows: Rows) -> Rows:
        columns = [self._id] if self._rank is None else [self._rank, self._id]
        if self.order in ASCENDING:
            return rows.order_by(*columns)
        return rows.order_by(*(column.desc() for column in columns))

    def _beyond(self, place: Place) -> ColumnElement[bool]:
        """Return the condition for everything after a place in this order."""
        rank, is_later = self._rank, self._id > place.id
        if rank is None:
            return is_later if self.order == "oldest" else self._id < place.id
        if self.order == "due":
            return or_(rank > place.due, and_(rank == place.due, is_later))
        return or_(rank < place.rank, and_(rank == place.rank, self._id < place.id))

    def _only(self, session: Session, site: int) -> set[str] | None:
        """Return the only comments of the site that the filters allow, or None if no filter names
        them.

        They are looked up first: the planner cannot know how few they are, and would walk through
        every comment in the order of the list.
        """
        found: list[set[str]] = []
        if self.words:
            found.append(self._searched(session, site))
        if self.author:
            found.append(set(session.scalars(_written_under(self.author, site))))
        if self.campaign:
            alike = of_the_campaign(self.campaign, site, most=MOST_NAMED)
            found.append(set(session.scalars(alike)))
        if self.tab == "asked":
            asked = self._asked_of_the_reader(site).limit(MOST_NAMED)
            found.append(set(session.scalars(asked)))
        return set.intersection(*found) if found else None

    def _searched(self, session: Session, site: int) -> set[str]:
        """Return the comments that contain the words, have them in the author's name, or were
        written under that email address.
        """
        by_words = matching(session, self.words, site)
        found = set(session.scalars(by_words)) if by_words is not None else set()
        address = _email_address(self.words) if site in self.by_email_on else None
        if address:
            found |= set(session.scalars(_written_under(email_index(address), site)))
        return found

    def _of_the_tab(self, rows: Rows, site: int, only: Collection[str] | None) -> Rows:
        if self.tab == "review":
            return self._with_open_reviews(rows, site, only)
        # These ids belong to the site already. With a condition on the site as well, SQLite would
        # walk through all of its comments.
        rows = rows.where(Comment.site_id == site if only is None else Comment.id.in_(only))
        if self.order == "risk":
            rows = rows.where(Comment.risk.is_not(None))
        if self.tab not in {"pending", "asked"}:
            rows = rows.where(~_is_blind(Comment.id))  # its list would reveal the decision
        match self.tab:
            case "asked":
                return rows
            case "unread":
                # as text, because the partial index has this condition
                return rows.where(text("comments.status = 'approved'"), Comment.seen_at.is_(None))
            case "all":
                return rows.where(Comment.status != "deleted")
        return rows.where(Comment.status == self.tab)

    def _with_open_reviews(self, rows: Rows, site: int, only: Collection[str] | None) -> Rows:
        rows = rows.where(Review.site_id == site, WAITS)
        if only is not None:
            rows = rows.where(Review.comment_id.in_(only))
        if self._filters_comments():
            rows = rows.join(Comment, Comment.id == Review.comment_id)
        if self.reason == READERS:
            return rows.where(Review.cause.in_(OF_READERS))
        return rows.where(Review.cause == self.reason) if self.reason in CAUSES else rows

    def _asked_of_the_reader(self, site: int) -> Select[str]:
        """Return comments with a question to the reader or to their role, and comments that still
        wait and have an answer to the reader's question.
        """
        me, mine = f"{MODERATOR}{self.moderator_id}", self.roles.get(site, ROLES[0])
        whom = (me, *ROLES[: ROLES.index(mine) + 1])
        waits = exists().where(Review.comment_id == Question.comment_id, WAITS)
        is_open = Question.answered_at.is_(None) & Question.whom.in_(whom) & (Question.by != me)
        is_recent = Question.answered_at > now() - ANSWERED_FOR
        is_answered = is_recent & (Question.by == me) & waits
        ids = select(Question.comment_id).where(Question.site_id == site)
        return ids.where(or_(is_open, is_answered))

    def _filters_comments(self) -> bool:
        """Whether a filter needs the comments themselves, not only their reviews."""
        is_reason = self.reason and self.reason not in {*CAUSES, READERS}
        return bool(self.thread_id or self.check or self.language or is_reason)

    def _filters(self) -> list[ColumnElement[bool]]:
        filters: list[ColumnElement[bool]] = []
        if self.thread_id is not None:
            filters.append(Comment.thread_id == self.thread_id)
        if self.check:
            filters.append(Comment.found.contains(f" {self.check} ", autoescape=True))
        if self.language:
            filters.append(Comment.language == self.language)
        if self.reason and self.reason not in {*CAUSES, READERS}:
            decisions = exists().where(DecisionRecord.comment_id == Comment.id)
            filters.append(decisions.where(DecisionRecord.reason == self.reason))
        if self.since:
            filters.append(self._id >= first_id(_midnight(self.since)))
        if self.until:
            filters.append(self._id < first_id(_midnight(self.until + timedelta(days=1))))
        if self.moderator_id and self.tab == "review":
            passed = exists().where(Passed.moderator_id == self.moderator_id)
            filters.append(~passed.where(Passed.comment_id == self._id))
        return filters


def _written_under(email: str, site: int) -> Select[str]:
    """Return the ids of the newest comments under the address with this blind index."""
    theirs = select(Comment.id).where(Comment.site_id == site, Comment.email_index == email)
    return theirs.order_by(Comment.at.desc()).limit(MOST_NAMED)


def _email_address(words: str) -> str | None:
    """Return the words as a comment's email address is stored, if they are one."""
    try:
        return parsed_email(words).normalized
    except EmailNotValidError:
        return None


def of_the_campaign(
    first: str | BindParameter[str], site: int, *, most: int
) -> CompoundSelect[str]:
    """Return the ids of a campaign's first comment and of up to `most` others that say nearly the
    same.

    The condition on the site comes last: otherwise SQLite walks through all of its comments.
    """
    alike = (
        select(Comment.id, Comment.site_id).where(Comment.campaign == first).limit(most).subquery()
    )
    the_first = select(Comment.id).where(Comment.id == first, Comment.site_id == site)
    return union_all(the_first, select(alike.c.id).where(alike.c.site_id == site))


def _is_due_before() -> ColumnElement[bool]:
    """Whether another open review of the comment is due sooner; the comment is listed for that
    one.
    """
    other = aliased(Review)
    same = (other.comment_id == Review.comment_id) & other.closed_at.is_(None)
    return exists().where(same, other.due_at < Review.due_at)


class Place(NamedTuple):
    """The position of a comment in a list; as text, it is the list's cursor. `rank` is its risk, or
    the time when it is due, in seconds since 1970.
    """

    rank: float
    id: str

    def __str__(self) -> str:
        return f"{self.rank:.17g}~{self.id}" if self.rank else self.id

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Return the place that this cursor names, or None if it is not a cursor."""
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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=now().tzinfo)


def see(session: Session, ids: Sequence[str]) -> None:
    """Mark these comments as seen now. An earlier time stays."""
    unread = Comment.id.in_(ids) & Comment.seen_at.is_(None)
    session.execute(update(Comment).where(unread).values(seen_at=now()))


def unsee(session: Session, ids: Sequence[str]) -> None:
    """Mark these comments as unseen, except those that a moderator has decided."""
    decided = select(DecisionRecord.id).where(DecisionRecord.comment_id == Comment.id, BY_A_HUMAN)
    session.execute(
        update(Comment).where(Comment.id.in_(ids), ~decided.exists()).values(seen_at=None)
    )


class Coverage(NamedTuple):
    """How many of the newest published comments a moderator has read."""

    seen: int
    of: int

    @property
    def percent(self) -> int:
        """Return a whole percentage, and 100 only if all comments are seen."""
        return 100 if self.seen == self.of else min(99, round(100 * self.seen / self.of))


def coverage(session: Session, sites: Collection[int]) -> Coverage:
    """Return how many of each site's last 1,000 comments a newsroom that reads everything has
    seen.
    """
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
