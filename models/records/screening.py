"""One screening of a comment, with all its evidence."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.judgement.evidence import StoredEvidence
from models.records.columns import CommentRef, Id, Json, When
from models.store.database import Base, now


class Screening(Base):
    """`number` counts a comment's screenings, so that each makes at most one automatic decision."""

    __tablename__ = "screenings"
    __table_args__ = (UniqueConstraint("comment_id", "number"),)

    id: Mapped[Id]
    comment_id: Mapped[CommentRef]
    number: Mapped[int]
    evidence: Mapped[list[StoredEvidence]] = mapped_column(Json)
    policy_version: Mapped[int]
    at: Mapped[When] = mapped_column(default=now)
