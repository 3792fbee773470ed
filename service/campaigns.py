"""The queue by campaigns: comments that say nearly the same stand together, so that one look settles many."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.records import Comment
from service.queue import listed
from service.records import full_records

MOST_GROUPED = 10_000  # waiting comments that are looked through; what is beyond comes when these are settled
SHOWN = 3  # of each group


def grouped(session: Session, status: str, site_id: int, *, limit: int, after: str | None) -> dict[str, Any]:
    """Groups by their oldest comment, those whose oldest comes after that id. A comment like no other is a group of
    its own, without a campaign.
    """
    waiting = listed(status, [site_id], limit=MOST_GROUPED).with_only_columns(Comment.id, Comment.campaign)
    groups: dict[str, list[str]] = {}
    for row in session.execute(waiting):
        groups.setdefault(row.campaign or row.id, []).append(row.id)
    following = [(campaign, ids) for campaign, ids in groups.items() if after is None or ids[0] > after]
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


def _records(session: Session, ids: list[str]) -> dict[str, dict[str, Any]]:
    comments = session.query(Comment).where(Comment.id.in_(ids)).all() if ids else []
    return {record["id"]: record for record in full_records(session, comments)}
