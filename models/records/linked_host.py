"""The hosts that the comments of a site link to, so that a check can recognise a host."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, SiteRef
from models.store.database import Base


class LinkedHost(Base):
    """One row for each host that a comment links to or names as its website. Erasing the comment
    deletes its rows.
    """

    __tablename__ = "linked_hosts"
    __table_args__ = (Index("ix_linked_hosts_comment_id", "comment_id"),)

    site_id: Mapped[SiteRef] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(253), primary_key=True)
    comment_id: Mapped[CommentRef] = mapped_column(primary_key=True)
