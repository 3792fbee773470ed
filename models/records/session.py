"""A moderator's session, stored on the server so that it can be ended."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When
from models.store.database import Base, now


class ConsoleSession(Base):
    """`hash` is the SHA-256 of the random cookie."""

    __tablename__ = "console_sessions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    moderator_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("moderators.id"))
    created_at: Mapped[When] = mapped_column(default=now)
    expires_at: Mapped[When]
