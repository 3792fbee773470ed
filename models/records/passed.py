"""A comment that a moderator left to others: it stays in the queue, but not in that moderator's
own.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When
from models.store.database import Base, now


class Passed(Base):
    __tablename__ = "passed"

    moderator_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("moderators.id"), primary_key=True
    )
    comment_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("comments.id"), primary_key=True
    )
    at: Mapped[When] = mapped_column(default=now)
