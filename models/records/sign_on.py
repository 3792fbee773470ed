"""A site's own sign-on: its settings, its secrets, and the tokens that were used."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import Hash, Id, SiteRef, Strings, When
from models.store.database import Base, now


class SignOn(Base):
    """How a site's tokens are signed. A site without a row takes HS256 with its secrets.

    `algorithms` are the only ones that its tokens may use. `is_single_use` requires a `jti` in each
    token, and accepts each token once.
    """

    __tablename__ = "sign_ons"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("sites.id"), primary_key=True, autoincrement=False
    )
    jwks_url: Mapped[str] = mapped_column(String(2000), default="")
    algorithms: Mapped[Strings]
    is_single_use: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[When] = mapped_column(default=now)
    changed_by: Mapped[str] = mapped_column(String(80))


class SignOnSecret(Base):
    """A secret for HS256, encrypted. `kid` is its first 8 characters after `sso_`."""

    __tablename__ = "sign_on_secrets"
    __table_args__ = (Index("ix_sign_on_secrets_site_id", "site_id"),)

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    kid: Mapped[str] = mapped_column(String(8), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[When] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(80))
    used_at: Mapped[When | None]
    revoked_at: Mapped[When | None]


class SpentToken(Base):
    """A single-use token that was used. `jti` is a keyed hash; the row is kept until the token has
    expired.
    """

    __tablename__ = "spent_tokens"
    __table_args__ = (Index("ix_spent_tokens_until", "until"),)

    site_id: Mapped[int] = mapped_column(
        ForeignKey("sites.id"), primary_key=True, autoincrement=False
    )
    jti: Mapped[Hash] = mapped_column(primary_key=True)
    until: Mapped[When]
