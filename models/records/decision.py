"""The decision log: who decided what, when, and why."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Id, Strings, When, Word
from models.store.database import Base, now

_TOGETHER = text("batch IS NOT NULL")
_BY_A_HUMAN = text("\"by\" <> 'policy'")


class DecisionRecord(Base):
    """`by` is "policy", "moderator:ID" or "key:ID" (see `models/settling/actor.py`). `was` and
    `becomes` are the status before and after. An undo names the decision that it `undoes`.

    `site_id` finds the human decisions of a site; decisions by the policy may lack it. Decisions
    with the same `batch` were made together.

    `edit_id` names the edit (models/records/edit.py) that the decision is about, instead of the
    comment. Such a decision teaches nothing, and changes the version but not the status.

    `teaches` is None for moderators, whose decisions teach by the rules of `labels.py`. A key's
    decision teaches only if it is true.

    `rule` is the key of the site's rule that the decision applies. `answer` is what the moderator
    tells the author, while the `note` stays with the moderators.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_comment_id_id", "comment_id", "id"),
        Index(
            "ix_decisions_by_humans",
            "site_id",
            "id",
            postgresql_where=_BY_A_HUMAN,
            sqlite_where=_BY_A_HUMAN,
        ),
        Index(
            "ix_decisions_batch_id",
            "batch",
            "id",
            postgresql_where=_TOGETHER,
            sqlite_where=_TOGETHER,
        ),
        Index(
            "ix_decisions_by_id", "by", "id", postgresql_where=_BY_A_HUMAN, sqlite_where=_BY_A_HUMAN
        ),
    )

    id: Mapped[Id]
    comment_id: Mapped[CommentRef]
    site_id: Mapped[int | None] = mapped_column(Integer)
    by: Mapped[str] = mapped_column(String(80))
    verdict: Mapped[Word]
    was: Mapped[Word]
    becomes: Mapped[Word]
    version: Mapped[int]
    reasons: Mapped[Strings]
    reason: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="")
    undoes: Mapped[str | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("decisions.id"), unique=True
    )
    edit_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    at: Mapped[When] = mapped_column(default=now)
    batch: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    teaches: Mapped[bool | None]
    rule: Mapped[str | None] = mapped_column(String(40))
    answer: Mapped[str | None] = mapped_column(Text)
