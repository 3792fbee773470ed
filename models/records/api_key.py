"""An API key of an integrator's system."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, SiteRef, When, Word
from models.store.database import Base, now


class ApiKey(Base):
    """Only the SHA-256 is stored. The key itself is random, so nobody can guess it."""

    __tablename__ = "api_keys"

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    scope: Mapped[Word]
    hash: Mapped[Hash] = mapped_column(unique=True)
    hint: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[When] = mapped_column(default=now)
    revoked_at: Mapped[When | None]
