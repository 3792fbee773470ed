"""One attempt to deliver an event, with the endpoint's answer."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, When
from models.store.database import Base


class Attempt(Base):
    """`status` is the status code of the answer; if there was none, it is None and `error` says
    why. `answer` holds the first kilobyte.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_delivery_id", "delivery_id"),
        Index("ix_attempts_at", "at"),
    )

    id: Mapped[Id]
    delivery_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("deliveries.id"))
    at: Mapped[When]
    status: Mapped[int | None]
    ms: Mapped[int]
    error: Mapped[str | None] = mapped_column(String(300))
    answer: Mapped[str] = mapped_column(Text, default="")
