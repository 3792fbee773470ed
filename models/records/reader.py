"""A reader whom a site knows: by the site's own sign-on, or by a confirmed email address."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, Json, SiteRef, When, Word
from models.store.database import Base, now


class Reader(Base):
    """`kind` is "signed_on" or "proven".

    - `subject` is a keyed hash: of the token's `sub`, or of the confirmed address.
    - `folded_name` is the name in the form in which names are compared, without spaces
      (models/text/names.py: name_key). Nobody unproven may post under it if it is reserved.
    - `email` is encrypted, and `email_index` is its keyed hash, as in `comments`. A reader who
      signed on has them only if the site says that the address is confirmed.
    - `seen_at` is at most an hour behind.
    """

    __tablename__ = "readers"
    __table_args__ = (
        UniqueConstraint("site_id", "kind", "subject"),
        Index("ix_readers_site_id_folded_name", "site_id", "folded_name"),
        Index("ix_readers_site_id_email_index", "site_id", "email_index"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    kind: Mapped[Word]
    subject: Mapped[Hash]
    name: Mapped[str] = mapped_column(String(80), default="")
    folded_name: Mapped[str] = mapped_column(String(300), default="")
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[Hash] = mapped_column(default="")
    url: Mapped[str | None] = mapped_column(String(500))
    avatar: Mapped[str | None] = mapped_column(String(500))
    badges: Mapped[list[str] | None] = mapped_column(Json)
    created_at: Mapped[When] = mapped_column(default=now)
    seen_at: Mapped[When] = mapped_column(default=now)
    erased_at: Mapped[When | None]
