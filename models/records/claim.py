"""Who has a comment open just now, so that two moderators do not read the same one."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import When
from models.store.database import Base


class Claim(Base):
    """It ends by itself at `until`: whoever closes the lid of a laptop holds nobody up."""

    __tablename__ = "claims"
    __table_args__ = (Index("ix_claims_until", "until"),)

    comment_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("comments.id"), primary_key=True
    )
    moderator_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("moderators.id"))
    until: Mapped[When]
