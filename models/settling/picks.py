"""The picks of the teaching queue that wait for a label."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models.records import Passed, Review
from models.records.review import IS_OPEN_PICK


def count_waiting(session: Session, site_id: int) -> int:
    """Return how many picks wait that no moderator skipped: so many can be labelled by anyone."""
    skipped = exists().where(Passed.comment_id == Review.comment_id)
    waiting = select(func.count(Review.id)).where(Review.site_id == site_id, IS_OPEN_PICK, ~skipped)
    return session.execute(waiting).scalar_one()
