"""A report: a reader says that a published comment breaks the site's rules."""

from __future__ import annotations

from sqlalchemy import Index, Text, UniqueConstraint, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Hash, Id, SiteRef, When, Word
from models.store.database import Base, now

REASONS = ("insult", "hate", "threat", "spam", "off_topic", "privacy", "other")


class Report(Base):
    """`reporter` is a keyed hash: of the reader who proved who they are (`reader_id`), or of the
    day's IP address. Each reporter counts once for a comment.

    - `weight` follows from the reporter's earlier accuracy (models/settling/reports.py).
    - `is_new` means that this address had neither reported nor commented on the site before.
    - `outcome` is None while the report is open, then "upheld" or "dismissed", by the decision
      `settled_by`.
    - An erased comment's reports keep no `text`, which may quote it.
    """

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("comment_id", "reporter"),
        Index("ix_reports_site_id_reporter", "site_id", "reporter"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[CommentRef]
    reporter: Mapped[Hash]
    reader_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    address: Mapped[Hash] = mapped_column(default="")
    is_new: Mapped[bool] = mapped_column(default=False, server_default=false())
    reason: Mapped[Word]
    text: Mapped[str] = mapped_column(Text, default="")
    weight: Mapped[float] = mapped_column(default=1.0)
    at: Mapped[When] = mapped_column(default=now)
    outcome: Mapped[Word | None]
    settled_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    settled_at: Mapped[When | None]
