"""A comment, from its acceptance on."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, Json, Object, SiteRef, When, Word
from models.store.database import Base, now

_WAITING = text("screen_due IS NOT NULL")
_GROUPED = text("campaign IS NOT NULL")
_UNREAD = text("status = 'approved' AND seen_at IS NULL")
_OLD_AVATAR = text("avatar_from IS NULL")
_KNOWN = text("reader_id IS NOT NULL")
_TOP, _REPLY = text("parent_id IS NULL"), text("parent_id IS NOT NULL")


class Comment(Base):
    """`status` says whether it is public. `version` grows with every change of status.

    - `email` is encrypted; `email_index` is a keyed hash of it, for lookups.
    - `address` is a keyed hash of the reader's IP address.
    - `reader_id` is the reader who proved to be its author. `badges` are those that the reader had
      then.
    - `page` holds the URL and title that the form sent. The thread takes them from its first
      approved comment, because before that they are a stranger's word.
    - `screen_due` is set while the comment is due for a screening. `screening_by` names the process
      that began to screen it at `screening_since` and has not finished. `screenings_alone` counts
      the screenings of this comment alone that began and did not finish
      (worker/screening/isolation.py).
    - `top_id` is the top comment of its branch, or the comment itself. `place` is its place among
      the thread's top comments, or among the replies of its branch; it gets it at its first
      approval and keeps it. `places` counts the places of its own branch.
    - `revision` is the thread's revision when readers last saw this comment change.
    - `risk` is the largest score of the last screening. `found` names the checks that found
      something, each with a space on both sides. Lists in the console use both.
    - `held_by` names the checks whose findings held it, in the same way. Comments from before
      migration 0017 have none.
    - `seen_at` is when a human first saw it in the console or decided it.
    - `avatar_from` is "name" if the avatar was drawn from the name, and empty if an earlier release
      drew it from the email address: worker/publishing/avatar_seeds.py draws those again.
    - `edit_id` names the author's edit that waits while the comment is public
      (models/records/edit.py).
    - `campaign` is the first comment that said nearly the same, if there is one.
    """

    __tablename__ = "comments"
    __table_args__ = (
        UniqueConstraint("thread_id", "said_once"),
        UniqueConstraint("site_id", "idempotency_key"),
        Index(
            "ix_comments_unread", "site_id", "id", postgresql_where=_UNREAD, sqlite_where=_UNREAD
        ),
        Index("ix_comments_campaign", "campaign", postgresql_where=_GROUPED, sqlite_where=_GROUPED),
        Index(
            "ix_comments_screen_due", "screen_due", postgresql_where=_WAITING, sqlite_where=_WAITING
        ),
        Index("ix_comments_site_id_status_id", "site_id", "status", "id"),
        Index("ix_comments_thread_id_revision", "thread_id", "revision"),
        Index("ix_comments_tops", "thread_id", "place", postgresql_where=_TOP, sqlite_where=_TOP),
        Index(
            "ix_comments_replies", "top_id", "place", postgresql_where=_REPLY, sqlite_where=_REPLY
        ),
        Index("ix_comments_site_id_email_index_at", "site_id", "email_index", "at"),
        Index("ix_comments_site_id_address_at", "site_id", "address", "at"),
        Index(
            "ix_comments_old_avatar",
            "thread_id",
            postgresql_where=_OLD_AVATAR,
            sqlite_where=_OLD_AVATAR,
        ),
        Index(
            "ix_comments_reader_id_at",
            "reader_id",
            "at",
            postgresql_where=_KNOWN,
            sqlite_where=_KNOWN,
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    parent_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("comments.id"))
    top_id: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    status: Mapped[Word] = mapped_column(default="pending")
    version: Mapped[int] = mapped_column(default=1)

    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[Hash] = mapped_column(default="")
    website: Mapped[str | None] = mapped_column(String(500))
    reader_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    badges: Mapped[list[str] | None] = mapped_column(Json)
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(8))
    avatar: Mapped[str] = mapped_column(String(16), default="")
    avatar_from: Mapped[Word | None] = mapped_column(default="name")

    at: Mapped[When] = mapped_column(default=now)
    edited_at: Mapped[When | None]
    edit_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    settled_at: Mapped[When | None]
    erased_at: Mapped[When | None]

    address: Mapped[Hash] = mapped_column(default="")
    form: Mapped[Object] = mapped_column(default=dict)
    page: Mapped[Object] = mapped_column(default=dict)
    said_once: Mapped[Hash | None]
    idempotency_key: Mapped[Hash | None]
    request_hash: Mapped[Hash | None]

    screen_due: Mapped[When | None] = mapped_column(default=now)
    screenings: Mapped[int] = mapped_column(default=0)
    screening_by: Mapped[str | None] = mapped_column(String(80))
    screening_since: Mapped[When | None]
    screenings_alone: Mapped[int] = mapped_column(default=0, server_default="0")
    risk: Mapped[float | None]
    found: Mapped[str | None] = mapped_column(String(120))
    held_by: Mapped[str | None] = mapped_column(String(120))
    seen_at: Mapped[When | None]

    campaign: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))

    place: Mapped[int | None]
    places: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    event_sequence: Mapped[int] = mapped_column(default=0)
