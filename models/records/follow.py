"""A reader follows a thread: its new comments are mailed to them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When
from models.store.database import Base, now


class Follow(Base):
    __tablename__ = "follows"
    __table_args__ = (Index("ix_follows_reader_id", "reader_id"),)

    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"), primary_key=True)
    reader_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("readers.id"), primary_key=True
    )
    created_at: Mapped[When] = mapped_column(default=now)
