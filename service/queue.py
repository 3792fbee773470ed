"""Which comments a list for moderators holds: those of a status, or all that a human is asked to look at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, exists, select

from models.records import Comment, Review

STATUSES = ("pending", "flagged", "approved", "rejected")


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
    if status not in {"approved", "rejected"}:
        return wanted
    blind = exists().where(Review.comment_id == Comment.id, Review.blind, Review.closed_at.is_(None))
    return wanted.where(~blind)


def _asked(site_ids: Collection[int], limit: int, after: str | None, *, flagged_only: bool) -> Any:
    """Read off the open reviews, in the order of their comments, and only as far as the list goes."""
    waiting = select(Review.comment_id).where(Review.site_id.in_(site_ids), Review.closed_at.is_(None))
    waiting = waiting.where(Review.comment_id > after) if after else waiting
    waiting = waiting.where((Review.cause == "flagged") | Review.blind) if flagged_only else waiting
    return waiting.distinct().order_by(Review.comment_id).limit(limit)
