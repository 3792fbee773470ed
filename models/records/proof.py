"""A browser's request to prove that its reader owns an email address."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, SiteRef, When
from models.store.database import Base, now


class Proof(Base):
    """`secret_hash` is the SHA-256 of what the browser keeps, `code_hash` a keyed hash of the code
    that it shows, and `link_hash` the SHA-256 of the mailed link's random part; None if this
    request sent no mail, because the address had got one within the hour.

    `wrong_codes` counts wrong codes. `address` is encrypted, and forgotten with the row.
    """

    __tablename__ = "proofs"
    __table_args__ = (
        Index("ix_proofs_site_id_address_index", "site_id", "address_index"),
        Index("ix_proofs_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    address: Mapped[bytes] = mapped_column(LargeBinary)
    address_index: Mapped[Hash]
    name: Mapped[str] = mapped_column(String(80), default="")
    secret_hash: Mapped[Hash] = mapped_column(unique=True)
    code_hash: Mapped[Hash]
    link_hash: Mapped[Hash | None] = mapped_column(unique=True)
    wrong_codes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[When] = mapped_column(default=now)
    expires_at: Mapped[When]
    confirmed_at: Mapped[When | None]
