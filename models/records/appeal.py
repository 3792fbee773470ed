"""An appeal: the author of a rejected comment asks for another decision (DSA, Article 20)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Id, SiteRef, When, Word
from models.store.database import Base


class Appeal(Base):
    """`status` is "open", "upheld" (rejected again), "reversed" (approved), "changed" (any other
    decision) or "withdrawn" (the comment was erased). A decision can be appealed against once.

    `text` is what the author wrote, `answer` what the moderator answered. `closed_by` is the
    decision on the appeal.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        Index("ix_appeals_comment_id", "comment_id"),
        Index("ix_appeals_site_id_opened_at", "site_id", "opened_at"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[CommentRef]
    decision_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("decisions.id"), unique=True
    )
    status: Mapped[Word] = mapped_column(default="open")
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[When]
    due_at: Mapped[When]
    closed_at: Mapped[When | None]
    closed_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("decisions.id"))
