"""The queue by campaigns: comments that say nearly the same are one group, so that one look settles
many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.records import Comment
from service.http.api_types import Id
from service.moderation.comment_records import CommentRecord, full_records
from service.moderation.queue import listed_ids

MOST_GROUPED = 10_000  # waiting comments that are searched; others appear when these are settled
_AT_ONCE = 500
SHOWN = 3  # of each group
_READ, _PIECE = (
    2000,
    3,
)  # letters of a text that are compared, in pieces of this length, which suits every script


class Group(TypedDict):
    """Comments with nearly the same text: their number and the first three. `campaign` is null for
    a comment without similar ones.
    """

    campaign: Id | None
    count: int
    items: list[CommentRecord]


class Groups(TypedDict):
    """A queue grouped by campaign."""

    groups: list[Group]
    next: Id | None


class _Members(NamedTuple):
    """The comments of one group, oldest first. A comment without similar ones is its own
    campaign.
    """

    campaign: str
    ids: list[str]


def grouped(
    session: Session, status: str, site_id: int, *, limit: int, after: str | None
) -> Groups:
    """Return groups in the order of their oldest comments, from `after` on."""
    groups = _groups(session, status, site_id)
    following = [group for group in groups if after is None or group.ids[0] > after]
    page = following[:limit]
    records = _records(session, page)
    return {
        "groups": [_group(members, records) for members in page],
        "next": page[-1].ids[0] if len(following) > limit else None,
    }


def _groups(session: Session, status: str, site_id: int) -> list[_Members]:
    waiting = session.scalars(listed_ids(status, [site_id], limit=MOST_GROUPED)).all()
    campaigns = _campaigns(session, waiting)
    groups: dict[str, list[str]] = {}
    for id_ in waiting:
        groups.setdefault(campaigns.get(id_, id_), []).append(id_)
    return [_Members(campaign, ids) for campaign, ids in groups.items()]


def _group(members: _Members, records: Mapping[str, CommentRecord]) -> Group:
    is_alone = members.ids == [members.campaign]
    return {
        "campaign": None if is_alone else members.campaign,
        "count": len(members.ids),
        "items": [records[id_] for id_ in members.ids[:SHOWN]],
    }


def outliers_first(texts: Mapping[str, str]) -> list[str]:
    """Return the ids of one campaign's comments, those least like the others first, because a
    reader who quotes a spammer to complain is among them. Equals keep their order.
    """
    pieces = {id_: _pieces(text) for id_, text in texts.items()}
    shared = Counter(chain.from_iterable(pieces.values()))
    usual = {piece for piece, count in shared.items() if 2 * count > len(texts)}

    def likeness(id_: str) -> float:
        return len(pieces[id_] & usual) / max(1, len(pieces[id_] | usual))

    return sorted(texts, key=likeness)


def _pieces(text: str) -> set[str]:
    line = " ".join(text.casefold().split())[:_READ]
    return {line[at : at + _PIECE] for at in range(max(1, len(line) - _PIECE + 1))}


def _campaigns(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return the campaign of each comment that has one. It asks for a few hundred at a time: for
    thousands of ids, a database would read the whole table instead.
    """
    found: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        wanted = select(Comment.id, Comment.campaign).where(
            Comment.id.in_(some), Comment.campaign.is_not(None)
        )
        found.update({row.id: str(row.campaign) for row in session.execute(wanted)})
    return found


def _records(session: Session, groups: Sequence[_Members]) -> dict[str, CommentRecord]:
    """Return the records of the comments that the groups show."""
    ids = [id_ for members in groups for id_ in members.ids[:SHOWN]]
    comments = session.scalars(select(Comment).where(Comment.id.in_(ids))).all()
    return {record["id"]: record for record in full_records(session, comments)}
