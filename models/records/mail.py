"""A mail that Greenroom owes to a reader, and the attempts to send it. The row is the truth: it
begins in the transaction of what it tells, and ends when the mail server accepts it or the sender
gives up.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, Object, SiteRef, When, Word
from models.store.database import Base, now

_OWED = text("due IS NOT NULL")


class Mail(Base):
    """`state` is "owed", "sent", "dead" (the sender gave up) or "cancelled" (nobody should get it
    any more).

    - `due` is set in the state "owed"; during an attempt it is when the `lease` expires.
    - A mail goes to `address` (encrypted, with its keyed hash `address_index`) or to the reader
      `reader_id`, whose address and choices are looked up when it is sent. A mail with neither is
      for the followers of its comment's thread: the sender makes one for each of them.
    - `data` is what the mail says, as its kind needs it (models/mailing/).
    - `once` is unique, so that nobody gets the same mail twice.
    - A mail that has ended keeps neither its address nor its data.
    """

    __tablename__ = "mails"
    __table_args__ = (
        Index("ix_mails_due", "due", postgresql_where=_OWED, sqlite_where=_OWED),
        Index("ix_mails_address_index_created_at", "address_index", "created_at"),
        Index("ix_mails_reader_id", "reader_id"),
        Index("ix_mails_comment_id", "comment_id"),
        Index("ix_mails_ended_at", "ended_at"),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    kind: Mapped[Word]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_index: Mapped[Hash] = mapped_column(default="")
    reader_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    comment_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    data: Mapped[Object] = mapped_column(default=dict)
    once: Mapped[str | None] = mapped_column(String(120), unique=True)
    is_daily: Mapped[bool] = mapped_column(default=False)
    state: Mapped[Word] = mapped_column(default="owed")
    due: Mapped[When | None]
    lease: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[When] = mapped_column(default=now)
    ended_at: Mapped[When | None]


class MailAttempt(Base):
    """One attempt. `status` is the mail server's code; if there was none, `error` alone says why.

    `error` never holds the address, although a server may repeat it.
    """

    __tablename__ = "mail_attempts"
    __table_args__ = (
        Index("ix_mail_attempts_mail_id", "mail_id"),
        Index("ix_mail_attempts_at", "at"),
    )

    id: Mapped[Id]
    mail_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), ForeignKey("mails.id"))
    at: Mapped[When]
    status: Mapped[int | None]
    ms: Mapped[int]
    error: Mapped[str | None] = mapped_column(String(300))
