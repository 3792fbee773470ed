"""Where another system listens: the address webhooks are sent to, and how it wants them."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, SiteRef, Strings, When, Word
from models.store.database import Base, now


class Endpoint(Base):
    """`sealed` holds the live secrets and the owner's headers, encrypted. `rate` is deliveries a
    second, None: any.

    `paced_until` is when the next may go where there is a rate. `failing_since` is the first
    failure after the last success. What belongs to a deleted one is removed little by little, and
    it last.
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
