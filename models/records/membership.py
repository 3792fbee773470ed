"""The sites of a moderator, with the role on each."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import SiteRef, Word
from models.store.database import Base


class Membership(Base):
    """`role` is "owner", "moderator" or "viewer"."""

    __tablename__ = "memberships"

    moderator_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("moderators.id"), primary_key=True
    )
    site_id: Mapped[SiteRef] = mapped_column(primary_key=True)
    role: Mapped[Word]
