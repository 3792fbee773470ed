"""The decision log: who decided what, when, and why."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.database import Base, now
from models.records.columns import CommentRef, Id, Strings, When, Word


class DecisionRecord(Base):
    """`by` is "policy", "moderator:ID" or "key:ID". `was` is the status before; an undo names what it `undoes`."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_comment_id_id", "comment_id", "id"),)

    id: Mapped[Id]
    comment_id: Mapped[CommentRef]
    by: Mapped[str] = mapped_column(String(80))
    verdict: Mapped[Word]
    was: Mapped[Word]
    becomes: Mapped[Word]
    version: Mapped[int]
    reasons: Mapped[Strings]
    reason: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="")
    undoes: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("decisions.id"), unique=True)
    at: Mapped[When] = mapped_column(default=now)
