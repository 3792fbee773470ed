"""A site's own sign-on: the secrets that its tokens are signed with, and its settings."""

from __future__ import annotations

import secrets as random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.records import SignOn, SignOnSecret, Site
from models.store.database import begin, insert_new, now, reading
from models.store.secrets import seal, unseal
from service.http.problems import Problem, wrong_field
from service.moderation.log import note_act

PREFIX = "sso_"
KID_LENGTH = 8
HS256 = "HS256"
ALGORITHMS = (HS256, "RS256", "ES256", "EdDSA")
LOGGED_AS = "keys"
USED_EVERY = timedelta(hours=1)
PURPOSE = "sign-on secret"
MOST_LIVE = 2  # the one in use, and its successor during a rotation


class Secret(NamedTuple):
    """A live secret, as bytes for the signature."""

    id: str
    kid: str
    key: bytes
    used_at: datetime | None


class Settings(NamedTuple):
    """How a site's tokens are signed."""

    jwks_url: str = ""
    algorithms: tuple[str, ...] = (HS256,)
    is_single_use: bool = False


class Listed(NamedTuple):
    """A secret for people to read: without the secret."""

    kid: str
    site: str
    created_at: datetime
    created_by: str
    used_at: datetime | None
    revoked_at: datetime | None


def create_secret(site_id: int, *, by: str) -> str:
    """Return a new secret of the site. It is shown only now. Raises a 409 if two are live."""
    secret = PREFIX + random.token_hex(32)
    row = {
        "site_id": site_id,
        "kid": kid_of(secret),
        "sealed": seal(PURPOSE, secret.encode()),
        "created_at": now(),
        "created_by": by,
    }
    with begin() as session:
        session.execute(select(Site.id).where(Site.id == site_id).with_for_update())
        if len(_live(session, site_id)) >= MOST_LIVE:
            raise Problem(409, "This site has two live secrets already. Revoke one first.")
        session.add(SignOnSecret(**row))
        what = f"created the sign-on secret {kid_of(secret)}"
        note_act(session, by, LOGGED_AS, what, site_id=site_id)
    return secret


def kid_of(secret: str) -> str:
    return secret.removeprefix(PREFIX)[:KID_LENGTH]


def revoke_secret(kid: str, *, by: str, site_id: int | None = None) -> bool:
    """Stop accepting tokens that were signed with this secret. Return False if no live secret has
    this id.
    """
    its = (SignOnSecret.kid == kid) & SignOnSecret.revoked_at.is_(None)
    if site_id is not None:
        its &= SignOnSecret.site_id == site_id
    with begin() as session:
        revoked = update(SignOnSecret).where(its).values(revoked_at=now())
        its_site = session.scalar(revoked.returning(SignOnSecret.site_id))
        if its_site is not None:
            what = f"revoked the sign-on secret {kid}"
            note_act(session, by, LOGGED_AS, what, site_id=its_site)
    return its_site is not None


def list_secrets(site_id: int | None = None) -> list[Listed]:
    """Return the secrets of one site or of all, the oldest first."""
    wanted = select(
        SignOnSecret.kid,
        Site.key,
        SignOnSecret.created_at,
        SignOnSecret.created_by,
        SignOnSecret.used_at,
        SignOnSecret.revoked_at,
    ).join(Site, Site.id == SignOnSecret.site_id)
    if site_id is not None:
        wanted = wanted.where(SignOnSecret.site_id == site_id)
    with reading() as session:
        return [Listed(*row) for row in session.execute(wanted.order_by(SignOnSecret.id))]


def site_id_of(site_key: str) -> int:
    with reading() as session:
        site_id = session.scalar(select(Site.id).where(Site.key == site_key))
    if site_id is None:
        raise Problem(404, f"There is no site {site_key!r}.")
    return site_id


def line(secret: Listed) -> str:
    """Return a secret on one line for the terminal, without the secret itself."""
    parts = [secret.kid, secret.site, f"created {secret.created_at:%Y-%m-%d}"]
    parts.append(f"last used {secret.used_at:%Y-%m-%d}" if secret.used_at else "not used yet")
    if secret.revoked_at:
        parts.append(f"revoked {secret.revoked_at:%Y-%m-%d}")
    return "  ".join(parts)


def settings_of(session: Session, site_id: int) -> Settings:
    row = session.get(SignOn, site_id)
    if row is None:
        return Settings()
    return Settings(row.jwks_url, tuple(row.algorithms), row.is_single_use)


def check_settings(given: Settings) -> None:
    """Raise a 422 for settings with which no token could be checked."""
    if not given.algorithms or not set(given.algorithms) <= set(ALGORITHMS):
        raise wrong_field("algorithms", "Choose at least one algorithm.")
    needs_url = set(given.algorithms) != {HS256}
    if needs_url and not given.jwks_url:
        needing = ", ".join(each for each in given.algorithms if each != HS256)
        raise wrong_field("jwks_url", f"Enter the JWKS URL with the public keys for {needing}.")
    if given.jwks_url:
        # Imported here because it takes memory that a site with secrets does not need.
        from worker.webhooks.targets import Refused, target  # noqa: PLC0415

        try:
            target(given.jwks_url)
        except Refused as error:
            raise wrong_field("jwks_url", str(error).replace("Webhooks", "JWKS URLs")) from None


def save_settings(site_id: int, given: Settings, *, by: str) -> None:
    values = {
        "jwks_url": given.jwks_url,
        "algorithms": list(given.algorithms),
        "is_single_use": given.is_single_use,
        "changed_at": now(),
        "changed_by": by,
    }
    with begin() as session:
        session.connection().execute(insert_new(SignOn), {"site_id": site_id, **values})
        session.execute(update(SignOn).where(SignOn.site_id == site_id).values(values))
        note_act(session, by, LOGGED_AS, "changed the settings of the sign-on", site_id=site_id)


def live_secrets(session: Session, site_id: int) -> list[Secret]:
    return [
        Secret(row.id, row.kid, unseal(PURPOSE, row.sealed), row.used_at)
        for row in _live(session, site_id)
    ]


def note_use(secret: Secret) -> None:
    """Write down that a secret has signed an accepted token, at most once an hour."""
    at = now()
    if secret.used_at is None or at - secret.used_at >= USED_EVERY:
        with begin(synced=False) as session:
            its = SignOnSecret.id == secret.id
            session.execute(update(SignOnSecret).where(its).values(used_at=at))


def is_revoked(session: Session, site_id: int, kid: str) -> bool:
    """Whether the site had a secret with this id."""
    its = (SignOnSecret.site_id == site_id) & (SignOnSecret.kid == kid)
    wanted = select(SignOnSecret.id).where(its, SignOnSecret.revoked_at.is_not(None))
    return session.scalar(wanted) is not None


def _live(session: Session, site_id: int) -> Sequence[SignOnSecret]:
    its = (SignOnSecret.site_id == site_id) & SignOnSecret.revoked_at.is_(None)
    return session.scalars(select(SignOnSecret).where(its).order_by(SignOnSecret.id)).all()
