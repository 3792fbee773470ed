"""A notice of illegal content by Article 16 of the Digital Services Act (Regulation (EU)
2022/2065).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Id, SiteRef, When, Word
from models.store.database import Base, now

# The names of the DSA Transparency Database, without their prefix STATEMENT_CATEGORY_.
CATEGORIES = (
    "ANIMAL_WELFARE",
    "CONSUMER_INFORMATION",
    "CYBER_VIOLENCE",
    "CYBER_VIOLENCE_AGAINST_WOMEN",
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "ILLEGAL_OR_HARMFUL_SPEECH",
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "NOT_SPECIFIED_NOTICE",
    "OTHER_VIOLATION_TC",
    "PROTECTION_OF_MINORS",
    "RISK_FOR_PUBLIC_SECURITY",
    "SCAMS_AND_FRAUD",
    "SELF_HARM",
    "UNSAFE_AND_PROHIBITED_PRODUCTS",
    "VIOLENCE",
)
# Article 16(2)(c): notices of child sexual abuse need no name and no email address.
NAMELESS = "PROTECTION_OF_MINORS"
# Someone may be in danger, so these are due sooner than all others.
URGENT = frozenset({NAMELESS, "RISK_FOR_PUBLIC_SECURITY", "SELF_HARM", "VIOLENCE"})
DUE_AFTER = timedelta(hours=24)
URGENT_AFTER = timedelta(hours=4)
_OPEN = text("closed_at IS NULL")


class Notice(Base):
    """`contact` is the name and email address of the person who sent it, encrypted.

    - `language` is the one in which the person gets answers.
    - `outcome` is None while the notice is open, then "removed", "kept" or "dismissed". It was
      closed by the decision `closed_by`, or dismissed without one.
    - `answer` is what the moderator answers. `is_automated` says whether a program decided, with an
      API key.
    - An erased comment's notices keep no `explanation`, which may quote it.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_comment_id", "comment_id"),
        Index("ix_notices_site_id_id", "site_id", "id"),
        Index("ix_notices_open", "site_id", "due_at", postgresql_where=_OPEN, sqlite_where=_OPEN),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[CommentRef]
    category: Mapped[str] = mapped_column(String(60))
    explanation: Mapped[str] = mapped_column(Text)
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(35), default="en")
    opened_at: Mapped[When] = mapped_column(default=now)
    due_at: Mapped[When]
    outcome: Mapped[Word | None]
    closed_at: Mapped[When | None]
    closed_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    answer: Mapped[str] = mapped_column(Text, default="")
    is_automated: Mapped[bool | None]
