"""An author, host or word that a site blocks or trusts, until a date or permanently."""

from __future__ import annotations

from sqlalchemy import Index, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, SiteRef, When, Word
from models.store.database import Base, now

_STANDING = text("ended_at IS NULL")


class Block(Base):
    """`kind` is "author", "host" or "word", `stance` "block" or "trust".

    `value` is the text to compare: an author's blind index, a host, a folded word. `label` is the
    text that people read: for an author, the name on the comment when the block was made, never the
    email address. The block ends at `until`, or when someone ends it.
    """

    __tablename__ = "blocks"
    __table_args__ = (
        Index("ix_blocks_site_id_kind_value", "site_id", "kind", "value",
        postgresql_where=_STANDING, sqlite_where=_STANDING),
    )  # fmt: skip

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    kind: Mapped[Word]
    stance: Mapped[Word]
    value: Mapped[str] = mapped_column(String(300))
    label: Mapped[str] = mapped_column(Text)
    comment_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[When] = mapped_column(default=now)
    until: Mapped[When | None]
    ended_at: Mapped[When | None]
    ended_by: Mapped[str | None] = mapped_column(String(80))
