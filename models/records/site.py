"""A site, which shows comments under its articles."""

from __future__ import annotations

from sqlalchemy import String, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Object, Strings, When
from models.store.database import Base, now


class Site(Base):
    """`event_sequence` grows by one with every settling transaction, so a cursor over events never
    skips.

    - `model` is read only by earlier releases; see `SiteScore`.
    - `fresh_decisions` counts the human decisions since the site last learned, at `learned_at`.
      `learn_due` is set while it is due to learn.
    - `teach_due` is set while a moderator waits for picks of the teaching queue.
    - `endpoints` counts the enabled webhook endpoints. Without any, settling does not look for
      them.
    - `second_factor_required` keeps out people without a second factor.
    - Events up to the position `forgotten` were deleted.
    """

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    origins: Mapped[Strings]
    locale: Mapped[str] = mapped_column(String(35), default="en")
    policy: Mapped[Object] = mapped_column(default=dict)
    policy_version: Mapped[int] = mapped_column(default=1)
    event_sequence: Mapped[int] = mapped_column(default=0)
    model: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    fresh_decisions: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    learn_due: Mapped[When | None]
    learned_at: Mapped[When | None]
    teach_due: Mapped[When | None]
    endpoints: Mapped[int] = mapped_column(default=0, server_default="0")
    forgotten: Mapped[int] = mapped_column(default=0, server_default="0")
    second_factor_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[When] = mapped_column(default=now)


# NULL if the policy was saved before it had these parts.
PAGE_QUERY = Site.policy["threads"]["query"].label("page_query")
MAY_POST = Site.policy["identity"].label("identity")
