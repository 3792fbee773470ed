"""What a site mails to an address: its reader's choices, and whether mail to it has stopped."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, SiteRef, When, Word
from models.store.database import Base, now


class Mailbox(Base):
    """`replies`, `decisions` and `threads` are each "now", "daily" or "off". An address without a
    row has the defaults.

    `stopped_at` is set when the mail server refused the address for good; then nothing goes to it
    until its reader confirms it again.
    """

    __tablename__ = "mailboxes"

    site_id: Mapped[SiteRef] = mapped_column(primary_key=True)
    address_index: Mapped[Hash] = mapped_column(primary_key=True)
    replies: Mapped[Word] = mapped_column(default="now")
    decisions: Mapped[Word] = mapped_column(default="now")
    threads: Mapped[Word] = mapped_column(default="now")
    stopped_at: Mapped[When | None]
    stopped_why: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[When] = mapped_column(default=now)
