"""A model that was trained on one site's own decisions; which one is live, the site says."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.database import Base, now
from models.records.columns import Hash, Id, Object, SiteRef, Strings, When


class SiteModelRecord(Base):
    """A row never changes. `file` is the model as skops wrote it, `weights` its numbers alone,
    which is what scores.

    `seen` are the comments it learned from; `scores` what promises are fitted from (see
    `models/promises.py`); `parent` is the model that was live when it was made, none for the base
    model alone.
    """

    __tablename__ = "site_models"
    __table_args__ = (UniqueConstraint("site_id", "version"),)

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    version: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[Hash]
    file: Mapped[bytes] = mapped_column(LargeBinary)
    weights: Mapped[bytes] = mapped_column(LargeBinary)
    card: Mapped[Object]
    seen: Mapped[Strings]
    scores: Mapped[Object]
    parent: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    at: Mapped[When] = mapped_column(default=now)
