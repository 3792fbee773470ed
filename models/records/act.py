"""The log of all actions other than decisions: settings, people, threads, blocks. Rows are only
added.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, When, Word
from models.store.database import Base, now


class Act(Base):
    """`by` is as in the decision log. `what` is a sentence for people. `kind` is one of `KINDS` in
    service/moderation/log.py.

    An act without a site is about an account itself: a new password, a second factor.
    """

    __tablename__ = "acts"
    __table_args__ = (Index("ix_acts_site_id_id", "site_id", "id"),)

    id: Mapped[Id]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    by: Mapped[str] = mapped_column(String(80))
    kind: Mapped[Word]
    what: Mapped[str] = mapped_column(Text)
    at: Mapped[When] = mapped_column(default=now)
