"""The queue by campaigns: comments that say nearly the same stand together, so that one look
settles many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.records import Comment
from service.http.shapes import Id
from service.moderation.comment_records import CommentRecord, full_records
from service.moderation.queue import listed_ids

MOST_GROUPED = (
    10_000  # waiting comments that are looked through; what is beyond comes when these are settled
)
_AT_ONCE = 500
SHOWN = 3  # of each group
_READ, _PIECE = (
    2000,
    3,
)  # letters of a text that are compared, in pieces of so many: they serve every script


class Group(TypedDict):
    """Comments that say nearly the same: how many there are, and the first three. `campaign` is
    null for a comment like no other.
    """

    campaign: Id | None
    count: int
    items: list[CommentRecord]


class Groups(TypedDict):
    """A queue by campaigns."""

    groups: list[Group]
    next: Id | None


def grouped(
    session: Session, status: str, site_id: int, *, limit: int, after: str | None
) -> Groups:
    """Groups by their oldest comment, those whose oldest comes after that id. A comment like no
    other is a group of its own, without a campaign.
    """
    waiting = session.execute(listed_ids(status, [site_id], limit=MOST_GROUPED)).scalars().all()
    campaigns = _campaigns(session, waiting)
    groups: dict[str, list[str]] = {}
    for id_ in waiting:
        groups.setdefault(campaigns.get(id_, id_), []).append(id_)
    following = [
        (campaign, ids) for campaign, ids in groups.items() if after is None or ids[0] > after
    ]
    page = following[:limit]
    records = _records(session, [id_ for _, ids in page for id_ in ids[:SHOWN]])
    return {
        "groups": [
            {
                "campaign": campaign if len(ids) > 1 or campaign != ids[0] else None,
                "count": len(ids),
                "items": [records[id_] for id_ in ids[:SHOWN]],
            }
            for campaign, ids in page
        ],
        "next": page[-1][1][0] if len(following) > limit else None,
    }


def outliers_first(texts: Mapping[str, str]) -> list[str]:
    """The ids of one campaign's comments, those least like the others first: who quotes a spammer
    to complain is among them. Equals keep their order.
    """
    pieces = {id_: _pieces(text) for id_, text in texts.items()}
    shared = Counter(piece for found in pieces.values() for piece in found)
    usual = {piece for piece, count in shared.items() if 2 * count > len(texts)}
    return sorted(
        texts, key=lambda id_: len(pieces[id_] & usual) / max(1, len(pieces[id_] | usual))
    )


def _pieces(text: str) -> set[str]:
    line = " ".join(text.casefold().split())[:_READ]
    return {line[at : at + _PIECE] for at in range(max(1, len(line) - _PIECE + 1))}


def _campaigns(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Of those that have one. A few hundred at a time: for thousands a database would rather read
    the whole table.
    """
    found: dict[str, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        wanted = select(Comment.id, Comment.campaign).where(
            Comment.id.in_(some), Comment.campaign.is_not(None)
        )
        found.update({row.id: str(row.campaign) for row in session.execute(wanted)})
    return found


def _records(session: Session, ids: list[str]) -> dict[str, CommentRecord]:
    comments = session.execute(select(Comment).where(Comment.id.in_(ids))).scalars().all()
    return {record["id"]: record for record in full_records(session, comments)}
