"""A model trained on one site's own decisions. `SiteScore.model` names the live one."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.classifier.site_card import SiteCard
from models.judgement.promises import StoredScores
from models.judgement.scores import SPAM
from models.records.columns import Hash, Id, Json, SiteRef, Strings, When, Word
from models.store.database import Base, now


class SiteModelRecord(Base):
    """A row never changes.

    `weights` is the packed model (see `SiteModel.packed`), `sha256` its digest. `file` is empty:
    models of earlier releases have a second copy there, which nothing reads. `seen` lists the
    comments that the model learned from. Promises are fitted to `scores` (see
    `models/judgement/promises.py`). `parent` is the model that was live when this one was made, or
    None for the base model.
    """

    __tablename__ = "site_models"
    __table_args__ = (UniqueConstraint("site_id", "version"),)

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    score: Mapped[Word] = mapped_column(default=SPAM, server_default=SPAM)
    version: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[Hash]
    file: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    weights: Mapped[bytes] = mapped_column(LargeBinary)
    card: Mapped[SiteCard] = mapped_column(Json)
    seen: Mapped[Strings]
    scores: Mapped[StoredScores] = mapped_column(Json)
    parent: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    at: Mapped[When] = mapped_column(default=now)
