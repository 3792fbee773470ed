"""A delivery: one event for one endpoint. It begins in the transaction that writes the event, and
ends when the endpoint accepts it or the sender gives up.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Id, Json, When, Word
from models.store.database import Base, now

_OWED, _WAITING = text("due IS NOT NULL"), text("state = 'waiting'")


class Delivery(Base):
    """`state` is "waiting" (until the page shows `revision`), "owed", "delivered", "dead",
    "cancelled" or "coalesced".

    `due` is set in the state "owed"; during an attempt it is when the `lease` expires. `payload` is
    set only for a test, which is no event of the log. `attempts` counts the attempts since it was
    last queued.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index(
            "ix_deliveries_due", "endpoint_id", "due", postgresql_where=_OWED, sqlite_where=_OWED
        ),
        Index(
            "ix_deliveries_waiting",
            "thread_id",
            "revision",
            postgresql_where=_WAITING,
            sqlite_where=_WAITING,
        ),
        Index(
            "ix_deliveries_comment_id_endpoint_id_sequence", "comment_id", "endpoint_id", "sequence"
        ),
        Index("ix_deliveries_endpoint_id_id", "endpoint_id", "id"),
        Index("ix_deliveries_endpoint_id_state_id", "endpoint_id", "state", "id"),
        Index("ix_deliveries_ended_at", "ended_at"),
    )

    id: Mapped[Id]
    endpoint_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("endpoints.id"))
    event_id: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    type: Mapped[str] = mapped_column(String(40))
    comment_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    sequence: Mapped[int | None]
    thread_id: Mapped[int | None]
    revision: Mapped[int | None]
    payload: Mapped[dict[str, object] | None] = mapped_column(Json)
    state: Mapped[Word]
    due: Mapped[When | None]
    lease: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[When] = mapped_column(default=now)
    ended_at: Mapped[When | None]
