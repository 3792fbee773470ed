"""Whether all due work is done."""

from __future__ import annotations

import time
from contextlib import suppress

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from models.records import Comment, Thread
from models.store.database import reading


def is_quiet() -> bool:
    """Whether nothing is due, except screenings of comments that a human may decide meanwhile."""
    time.sleep(0.5)
    with suppress(OperationalError), reading() as session:
        pending = session.scalar(select(func.count(Comment.id)).where(Comment.status == "pending"))
        return not pending and not session.scalar(select(func.count(Thread.publish_due)))
    return False
