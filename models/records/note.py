"""Notes of moderators about a comment, an author or a thread; questions to colleagues, with their
answers.
"""

from __future__ import annotations

from sqlalchemy import Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, SiteRef, When, Word
from models.store.database import Base, now


class Note(Base):
    """`kind` is "comment", "author" or "thread"; `subject` is its id, blind index or number.
    Readers never see notes.
    """

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_site_id_kind_subject", "site_id", "kind", "subject"),)

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    kind: Mapped[Word]
    subject: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[When] = mapped_column(default=now)


class Question(Base):
    """A question about a comment, to a colleague or a role. It is open until `answered_at`."""

    __tablename__ = "questions"
    __table_args__ = (
        Index("ix_questions_comment_id", "comment_id"),
        Index("ix_questions_site_id_answered_at", "site_id", "answered_at"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    whom: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[When] = mapped_column(default=now)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(80))
    answered_at: Mapped[When | None]
