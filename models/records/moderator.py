"""A person who signs in to the console."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, Json, When
from models.store.database import Base, now


class Moderator(Base):
    """`second_factor` is the encrypted secret of the one-time codes, `second_factor_used` the last
    step that was used.

    `recovery_codes` are the SHA-256 hashes of the unused codes. `preferences` are the person's
    settings, such as keyboard shortcuts.
    """

    __tablename__ = "moderators"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[When] = mapped_column(default=now)
    second_factor: Mapped[bytes | None] = mapped_column(LargeBinary)
    second_factor_used: Mapped[int | None]
    recovery_codes: Mapped[list[str] | None] = mapped_column(Json)
    preferences: Mapped[dict[str, object] | None] = mapped_column(Json)
