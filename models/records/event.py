"""The event log for other systems, in commit order."""

from __future__ import annotations

from sqlalchemy import Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Id, Object, SiteRef, When
from models.store.database import Base, now


class Event(Base):
    """`position` is the site's counter in the settling transaction, `nth` the place inside it.
    Together they are the cursor.

    `sequence` counts a comment's events from 1 without gaps. `supersedes` is the event before it on
    the same comment. An event that is not one of that sequence, such as a notice's, has a negative
    number here and none in its data.

    An event that changes a page is delivered once the page of `thread_id` shows `revision`.
    `ends_approval` means that the comment was approved until this event.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("site_id", "position", "nth"),
        UniqueConstraint("comment_id", "sequence"),
        Index("ix_events_at", "at"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    position: Mapped[int]
    nth: Mapped[int]
    type: Mapped[str] = mapped_column(String(40))
    comment_id: Mapped[CommentRef]
    sequence: Mapped[int]
    supersedes: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    data: Mapped[Object]
    thread_id: Mapped[int | None]
    revision: Mapped[int | None]
    ends_approval: Mapped[bool | None]
    at: Mapped[When] = mapped_column(default=now)
