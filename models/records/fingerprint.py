"""Fingerprints of the last day's comments, to recognise repeats."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, SiteRef, When
from models.store.database import Base


class Fingerprint(Base):
    """One row for each band: `band` is a signed 64-bit hash of the whole text or of a part of its
    MinHash.
    """

    __tablename__ = "fingerprints"
    __table_args__ = (Index("ix_fingerprints_at", "at"),)

    site_id: Mapped[SiteRef] = mapped_column(primary_key=True)
    band: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    comment_id: Mapped[CommentRef] = mapped_column(primary_key=True)
    at: Mapped[When]
