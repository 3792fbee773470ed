"""The rows of a list: a page of comments in a few words each, campaigns together, and where the
list continues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from models.judgement.scores import SCORES
from models.records import Comment, Review, Thread
from models.store.database import now
from service.console import item as items
from service.console.view import Asked
from service.moderation.campaigns import outliers_first
from service.moderation.comment_records import is_hidden
from service.moderation.notes import open_questions
from service.moderation.queue import Place

PAGE_SIZE = 40
MOST_OF_A_CAMPAIGN = 200  # rows on a page that lists one campaign: its outliers come first
MOST_TOGETHER = 8  # of a campaign, shown at its first comment; the others follow in their own place
MOST_SHOWN = 1000  # rows of a page that are compared with the list
MOST_IN_REACH = 400  # rows on a page that is made longer to hold the comment that is open


class Row(NamedTuple):
    """A comment in a few words. The first row of a campaign says how many rows are `alike`."""

    id: str
    version: int
    status: str
    site: str
    name: str
    text: str
    body: str
    campaign: str
    at: datetime
    page: str
    risk: float | None
    found: Sequence[str]
    late: bool
    causes: Sequence[str]
    has_question: bool
    group: str | None = None
    alike: int = 0
    goes_on: bool = False

    @property
    def scored(self) -> str:
        """The score that the risk is, if only one of them found something."""
        names = [name for name in self.found if name in SCORES]
        return names[0] if len(names) == 1 and self.risk is not None else ""

    @property
    def fingerprint(self) -> str:
        """Return a value that changes with everything that the list shows of the comment."""
        shown = self._replace(body="", alike=0, goes_on=False)
        return f"{crc32(repr(shown).encode()):x}"


class Group(NamedTuple):
    """Comments that say nearly the same, or a single one. `goes_on` means that there are more than
    shown here.
    """

    ids: list[str]
    goes_on: bool = False


def list_rows(session: Session, asked: Asked) -> tuple[list[Row], str | None]:
    """Return a page of the list, each comment in a few words, and the cursor of the next page."""
    if asked.named:
        return _in_few_words(session, [asked.named], asked.all_sites), None
    places, following = _reach(session, asked)
    return _page_of(session, asked, places, following)


def list_rows_until(
    session: Session, asked: Asked, until: Place | None, *, shown: int
) -> tuple[list[Row], str | None]:
    """Return the list as far as a moderator's page shows it: to the place `until`, or to its end.

    `shown` is how many rows that page has. If many more have come before `until`, this stops
    earlier, and the cursor is another one.
    """
    if asked.named:
        return list_rows(session, asked)
    size = min(shown, MOST_SHOWN) + 2 * PAGE_SIZE
    places, following = _next(session, asked, asked.after, size)
    if until is not None:
        to_here = [place for place in places if not asked.view.is_beyond(place, until)]
        if len(to_here) < len(places):
            places, following = to_here, str(until)
    return _page_of(session, asked, places, following)


def _page_of(
    session: Session, asked: Asked, places: list[Place], following: str | None
) -> tuple[list[Row], str | None]:
    if asked.tab != "review":
        return _in_few_words(session, [place.id for place in places], asked.all_sites), following
    groups = _together(session, asked, places)
    while following and not groups:  # all of these are with their campaigns, further up
        places, following = _next(session, asked, Place.read(following), MOST_IN_REACH)
        groups = _together(session, asked, places)
    found = _in_few_words(session, [id_ for group in groups for id_ in group.ids], asked.all_sites)
    return _headed(groups, {row.id: row for row in found}), following


def _next(
    session: Session, asked: Asked, after: Place | None, size: int
) -> tuple[list[Place], str | None]:
    places = asked.view.places(session, list(asked.sites), limit=size + 1, after=after)
    return places[:size], str(places[size - 1]) if len(places) > size else None


def _reach(session: Session, asked: Asked) -> tuple[list[Place], str | None]:
    """Return a page, or as much as is needed to include the open item, so that a reload keeps its
    place. An item that is not in the list (any more) comes first, so that it can be decided like
    the others.
    """
    places, following = _next(
        session, asked, asked.after, MOST_OF_A_CAMPAIGN if asked.view.campaign else PAGE_SIZE
    )
    if not asked.item or asked.after or asked.item in {place.id for place in places}:
        return places, following
    further, beyond = _next(session, asked, None, MOST_IN_REACH)
    at = next((at for at, place in enumerate(further) if place.id == asked.item), None)
    if at is None:
        return [Place(0.0, asked.item), *places], following
    size = min(at + PAGE_SIZE // 2, MOST_IN_REACH)
    return further[:size], str(further[size - 1]) if len(further) > size else beyond


def _together(session: Session, asked: Asked, places: Sequence[Place]) -> list[Group]:
    """Return the page by campaigns: each at the place of its first comment, with others from
    further down the list, which then do not appear there.
    """
    pages = _by_campaign(session, asked, places)
    campaigns = [first for first, members in pages.items() if members.is_campaign]
    # a longer list would contain one that is neither on this page nor shown at the first
    most = MOST_TOGETHER + len(places) + 1
    found = asked.view.places_of_campaigns(session, list(asked.sites), campaigns, limit=most)
    groups = []
    for first, members in pages.items():
        if first in found:
            ids = [place.id for place in found[first]]
            groups.append(_gathered(ids, members.ids, asked.item))
        else:
            groups.append(Group(members.ids))
    return [group for group in groups if group.ids]


class _Members(NamedTuple):
    """The comments of a campaign on a page, or a comment without similar ones."""

    ids: list[str]
    is_campaign: bool


def _by_campaign(session: Session, asked: Asked, places: Sequence[Place]) -> dict[str, _Members]:
    """Group by the first comment of each campaign, in the order of the page."""
    ids = [place.id for place in places]
    if asked.view.campaign:  # then nothing else is in the list, and all of it stays together
        return {asked.view.campaign: _Members(ids, is_campaign=False)} if ids else {}
    firsts = _in_campaigns(session, ids)
    pages: dict[str, _Members] = {}
    for id_ in ids:
        first = firsts.get(id_, id_)
        pages.setdefault(first, _Members([], is_campaign=id_ in firsts)).ids.append(id_)
    return pages


def _in_campaigns(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return the first comment of its campaign, for each that has similar ones."""
    other = aliased(Comment)
    is_first = exists().where(other.campaign == Comment.id)
    wanted = select(Comment.id, Comment.campaign).where(
        Comment.id.in_(ids), or_(Comment.campaign.is_not(None), is_first)
    )
    return {row.id: row.campaign or row.id for row in session.execute(wanted)}


def _gathered(members: list[str], ids: list[str], is_open: str) -> Group:
    """Return what a page shows of a campaign."""
    together = members[:MOST_TOGETHER]
    others = [id_ for id_ in ids if id_ not in together]
    if not {is_open, *together[:1]} & {*ids}:  # these are further up, with its first comment
        return Group(others)
    shown = [*others, *together] if is_open in others else [*together, *others]
    return Group(shown, goes_on=not {*members} <= {*shown})


def _headed(groups: Sequence[Group], found: Mapping[str, Row]) -> list[Row]:
    """Return the rows in their order. In a campaign, those least like the others come first."""
    ordered: list[Row] = []
    for group in groups:
        rows = [found[id_] for id_ in group.ids if id_ in found]
        if len(rows) < 2:
            ordered += rows
            continue
        order = outliers_first({row.id: row.body for row in rows})
        first, *others = (found[id_]._replace(group=rows[0].campaign) for id_ in order)
        ordered += [first._replace(alike=len(rows), goes_on=group.goes_on), *others]
    return ordered


def _in_few_words(session: Session, ids: Sequence[str], sites: dict[int, str]) -> list[Row]:
    wanted = select(Comment).where(Comment.id.in_(ids))
    found = {row.id: row for row in session.scalars(wanted) if row.site_id in sites}
    threads = select(Thread).where(Thread.id.in_({row.thread_id for row in found.values()}))
    pages = {row.id: row.title or row.key for row in session.scalars(threads)}
    hidden = is_hidden(session, list(found))
    waiting = _open_reviews(session, ids)
    questions = open_questions(session, ids)
    return [
        _row(
            comment,
            site=sites[comment.site_id],
            page=pages[comment.thread_id],
            reviews=waiting.get(comment.id, []),
            is_hidden=comment.id in hidden,
            has_question=comment.id in questions,
        )
        for comment in (found[id_] for id_ in ids if id_ in found)
    ]


def _open_reviews(session: Session, ids: Sequence[str]) -> dict[str, list[Review]]:
    reviews = select(Review).where(Review.comment_id.in_(ids), Review.closed_at.is_(None))
    by_comment: dict[str, list[Review]] = {}
    for review in session.scalars(reviews):
        by_comment.setdefault(review.comment_id, []).append(review)
    return by_comment


def _row(  # noqa: PLR0913 — the parts of one row
    comment: Comment,
    *,
    site: str,
    page: str,
    reviews: Sequence[Review],
    is_hidden: bool,
    has_question: bool,
) -> Row:
    """Return a row. A blind sample looks like any comment that a moderator must judge."""
    return Row(
        id=comment.id,
        version=comment.version,
        status="flagged" if is_hidden else comment.status,
        site=site,
        name=comment.name,
        text=items.snippet(comment.html, comment.body),
        body=comment.body,
        campaign=comment.campaign or comment.id,
        at=comment.at,
        page=page,
        risk=comment.risk,
        found=() if is_hidden else (comment.found or "").split(),
        late=any(review.due_at and review.due_at < now() for review in reviews),
        causes=["sampled"] if is_hidden else [review.cause for review in reviews],
        has_question=has_question,
    )
