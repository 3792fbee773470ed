"""How a site scores its comments, for each score: the live model, and what is known about it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Uuid, true
from sqlalchemy.orm import Mapped, mapped_column
from typing_extensions import TypedDict

from models.records.columns import Json, When, Word
from models.store.database import Base

WATCHING, KEPT, WENT_BACK = "watching", "kept", "went_back"


class Held(TypedDict):
    """How many of the same `of` comments the previous model and this model would hold."""

    of: int
    before: int
    now: int


class SiteScore(Base):
    """A site without a row uses the base model and learns.

    - `model` is the site's own model that scores its comments; None means that the base model does.
    - `previous` is the model that was live until `live_since`.
    - `announced` is how many comments the traffic check said that the model would hold. `watched`
      counts the same for the first comments that were posted since it is live.
    - `watch` is one of the words above, or None if nothing was announced.
    - `learns` is whether the site's models are trained.
    """

    __tablename__ = "site_scores"

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    score: Mapped[Word] = mapped_column(primary_key=True)
    model: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    previous: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    live_since: Mapped[When | None]
    announced: Mapped[Held | None] = mapped_column(Json)
    watch: Mapped[Word | None]
    watched: Mapped[Held | None] = mapped_column(Json)
    learns: Mapped[bool] = mapped_column(default=True, server_default=true())
