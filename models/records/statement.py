"""A statement of reasons: what the author of a rejected comment is told (DSA, Article 17)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Id, SiteRef, When, Word
from models.store.database import Base


class Statement(Base):
    """`restriction` is "removed". `source` is "own_initiative", "report" or "notice".

    `checks` names the checks whose findings held or rejected the comment, each with a space on both
    sides. `automated_detection` means that there were any, `automated_decision` that no human
    decided. `answer` is what the moderator wrote to the author.

    The rule's words are kept here as they were: the site may change its rules later. The author can
    appeal until `appeal_until`; a decision on an appeal is final and has None.
    """

    __tablename__ = "statements"
    __table_args__ = (
        Index("ix_statements_comment_id", "comment_id"),
        Index("ix_statements_site_id_at", "site_id", "at"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[CommentRef]
    decision_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("decisions.id"), unique=True
    )
    restriction: Mapped[Word]
    source: Mapped[Word]
    checks: Mapped[str | None] = mapped_column(String(120))
    automated_detection: Mapped[bool]
    automated_decision: Mapped[bool]
    rule: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    ground: Mapped[Word]
    answer: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[When]
    appeal_until: Mapped[When | None]
