"""A change of a comment's text: what it said before, what it says after, and who changed it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from models.judgement.evidence import StoredEvidence
from models.records.columns import CommentRef, Id, Json, SiteRef, When, Word
from models.store.database import Base, now

WAITING, APPROVED, REJECTED, REPLACED = "waiting", "approved", "rejected", "replaced"
EDITED = "edited"  # the cause of a review


class Edit(Base):
    """One change of the text. `by` is "author", "moderator:ID" or "key:ID".

    An author's edit of a public comment waits: the old text stays public until the new one is
    approved. While it waits, `comments.edit_id` names it. With `held_at`, it waits for a
    moderator, otherwise for its screening. It can be `replaced` by a later one. All other edits are
    approved from the start.

    - `before` is the text that the edit replaces, or replaced.
    - `version` is the version that the edit gave the comment, if no decision did.
    - The other columns hold what the screening of the new text found, until it is published.
    """

    __tablename__ = "edits"
    __table_args__ = (Index("ix_edits_comment_id_id", "comment_id", "id"),)

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[CommentRef]
    by: Mapped[str] = mapped_column(String(80))
    before: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[When] = mapped_column(default=now)
    version: Mapped[int | None]

    status: Mapped[Word]
    held_at: Mapped[When | None]
    settled_at: Mapped[When | None]
    settled_by: Mapped[str | None] = mapped_column(String(80))
    decision_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("decisions.id"))
    reason: Mapped[str | None] = mapped_column(String(20))

    html: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(8))
    risk: Mapped[float | None]
    found: Mapped[str | None] = mapped_column(String(120))
    campaign: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    number: Mapped[int | None]
    policy_version: Mapped[int | None]
    evidence: Mapped[list[StoredEvidence]] = mapped_column(Json, default=list)
