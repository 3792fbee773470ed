"""The thread of comments under a page, and which revision of it is published."""

from __future__ import annotations

from sqlalchemy import Index, String, UniqueConstraint, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import SiteRef, When, Word
from models.store.database import Base, now

_OPEN = text("state = 'open'")


class Thread(Base):
    """`revision` grows with every change that readers can see; `published_revision` is the one in
    storage. `publish_due` is set while they differ. `lease` names the publisher at work, until
    `lease_until`.

    - `count` is how many comments are live. `places` counts the top comments that were ever
      published, which tells the next one its page.
    - `moderation` "before" sends every comment of the thread to a human.
    - `identity` is "anyone", "proven" or "signed_in"; without it, the site's policy decides.
    - `slow_seconds` is how long an author waits between two comments.
    - `title_is_final` or `url_is_final`: a moderator set it, and comments no longer change it.
    - `opened_at` is when a moderator last opened it. On sites that close threads by age, the age
      counts from then.
    - `followers` counts the readers who want mail about new comments. Without any, settling does
      not look for them.
    """

    __tablename__ = "threads"
    __table_args__ = (
        UniqueConstraint("site_id", "key"),
        Index(
            "ix_threads_publish_due",
            "publish_due",
            postgresql_where=text("publish_due IS NOT NULL"),
            sqlite_where=text("publish_due IS NOT NULL"),
        ),
        Index(
            "ix_threads_open", "site_id", "created_at", postgresql_where=_OPEN, sqlite_where=_OPEN
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[SiteRef]
    key: Mapped[str] = mapped_column(String(500))
    url: Mapped[str | None] = mapped_column(String(2000))
    title: Mapped[str | None] = mapped_column(String(500))
    title_is_final: Mapped[bool] = mapped_column(default=False)
    url_is_final: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[Word] = mapped_column(default="open")
    moderation: Mapped[str | None] = mapped_column(String(20))
    identity: Mapped[Word | None]
    slow_seconds: Mapped[int | None]
    count: Mapped[int] = mapped_column(default=0)
    places: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    published_revision: Mapped[int] = mapped_column(default=0)
    publish_due: Mapped[When | None]
    lease: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    lease_until: Mapped[When | None]
    created_at: Mapped[When] = mapped_column(default=now)
    opened_at: Mapped[When | None]
    followers: Mapped[int] = mapped_column(default=0, server_default="0")
