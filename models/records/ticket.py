"""A link that works once: an invitation, or a new password or address for an account."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When, Word
from models.store.database import Base, now


class Ticket(Base):
    """`hash` is the SHA-256 of the link's random part. `kind` is "invitation", "reset" or
    "address", which confirms `email` as the new address of the account in `by`.

    A ticket that was used or has ended is deleted. The previous release set `used_at` instead.
    """

    __tablename__ = "tickets"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[Word]
    email: Mapped[str] = mapped_column(String(254))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    role: Mapped[str | None] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[When] = mapped_column(default=now)
    expires_at: Mapped[When]
    used_at: Mapped[When | None]

    @property
    def id(self) -> str:
        """Names the ticket to those who may withdraw it. It does not help to guess the link."""
        return self.hash[:32]
