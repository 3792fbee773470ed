"""A moderator's session, stored on the server so that it can be ended."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When
from models.store.database import Base, now


class ConsoleSession(Base):
    """`hash` is the SHA-256 of the random cookie.

    `device` says which browser and system signed in, in words. `used_at` is the last use, some
    minutes late; None until it is noted for the first time.
    """

    __tablename__ = "console_sessions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    moderator_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("moderators.id"))
    created_at: Mapped[When] = mapped_column(default=now)
    expires_at: Mapped[When]
    device: Mapped[str | None] = mapped_column(String(80))
    used_at: Mapped[When | None]

    @property
    def id(self) -> str:
        """Names the session to its owner. It does not help to guess the cookie."""
        return self.hash[:32]
