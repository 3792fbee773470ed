"""A webhook endpoint: the URL that receives a site's events, and its settings."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, SiteRef, Strings, When, Word
from models.store.database import Base, now


class Endpoint(Base):
    """`sealed` holds the live secrets and the owner's headers, encrypted. `rate` limits deliveries
    per second; None means no limit, and otherwise the next one may go at `paced_until`.

    `failing_since` is the first failure after the last success. The rows of a deleted endpoint are
    removed little by little, and its own row last.
    """

    __tablename__ = "endpoints"
    __table_args__ = (Index("ix_endpoints_site_id", "site_id"),)

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[Strings]
    thread_prefix: Mapped[str] = mapped_column(String(500), default="")
    description: Mapped[str] = mapped_column(String(300), default="")
    format: Mapped[Word] = mapped_column(default="standard")
    is_ordered: Mapped[bool] = mapped_column(default=False)
    is_coalesced: Mapped[bool] = mapped_column(default=False)
    signs_ed25519: Mapped[bool] = mapped_column(default=False)
    rate: Mapped[float | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    disabled_why: Mapped[str | None] = mapped_column(String(300))
    failing_since: Mapped[When | None]
    paced_until: Mapped[When | None]
    created_at: Mapped[When] = mapped_column(default=now)
    deleted_at: Mapped[When | None]
