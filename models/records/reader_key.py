"""A reader's key, by which a browser shows that its reader has proved an address."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, When
from models.store.database import Base, now


class ReaderKey(Base):
    """`hash` is the key's SHA-256; the key itself is not stored. A revoked key has no row.
    `used_at` is at most an hour behind.
    """

    __tablename__ = "reader_keys"
    __table_args__ = (Index("ix_reader_keys_reader_id", "reader_id"),)

    id: Mapped[Id]
    reader_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("readers.id"))
    hash: Mapped[Hash] = mapped_column(unique=True)
    created_at: Mapped[When] = mapped_column(default=now)
    used_at: Mapped[When] = mapped_column(default=now)
