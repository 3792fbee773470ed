"""A site whose articles carry the form."""

from __future__ import annotations

from sqlalchemy import String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Object, Strings, When
from models.store.database import Base, now


class Site(Base):
    """`event_sequence` is incremented once per settling transaction, so a cursor over events never
    skips.

    `model` is the site's own model that scores its comments, none for the base model alone.
    `fresh_decisions` counts moderators' decisions since it learned last, at `learned_at`;
    `learn_due` is set while there is something to learn. `endpoints` counts those that want
    webhooks now: where there are none, settling does not look for them. Events up to the position
    `forgotten` are no longer kept.
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
    endpoints: Mapped[int] = mapped_column(default=0, server_default="0")
    forgotten: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[When] = mapped_column(default=now)


# NULL where a policy was saved before it had this part.
PAGE_QUERY = Site.policy["threads"]["query"].label("page_query")
