"""A key an integrator's system calls with."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, Json, When, Word
from models.store.database import Base, now


class ApiKey(Base):
    """Only the SHA-256 is stored. The key itself is random, so nobody can guess it from the hash.

    - Without `site_id` it belongs to the whole installation.
    - `scope` is the only scope of a key from before there were `scopes`; of every other key it is
      the first of them.
    - `created_by` is as in the decision log; keys from before 0012 have none.
    - `expires_at` is when it stops working; None: never.
    - `last_used_at` is at most a minute behind.
    - `learn` is whether its decisions teach the site's models without saying so in each call.
    - `replaced_by` is the id of the key that a rotation put in its place.
    """

    __tablename__ = "api_keys"

    id: Mapped[Id]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    scope: Mapped[Word]
    scopes: Mapped[list[str] | None] = mapped_column(Json)
    name: Mapped[str] = mapped_column(String(80), default="", server_default="")
    hash: Mapped[Hash] = mapped_column(unique=True)
    hint: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[When] = mapped_column(default=now)
    created_by: Mapped[str | None] = mapped_column(String(80))
    expires_at: Mapped[When | None]
    last_used_at: Mapped[When | None]
    revoked_at: Mapped[When | None]
    learn: Mapped[bool] = mapped_column(default=False, server_default=false())
    replaced_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
