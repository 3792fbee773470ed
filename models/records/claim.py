"""Which moderator has a comment open now, so that no two review the same one."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When
from models.store.database import Base


class Claim(Base):
    """A claim expires at `until`, so a closed laptop blocks nobody."""

    __tablename__ = "claims"
    __table_args__ = (Index("ix_claims_until", "until"),)

    comment_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("comments.id"), primary_key=True
    )
    moderator_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("moderators.id"))
    until: Mapped[When]
