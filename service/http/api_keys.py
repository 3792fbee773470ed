"""Who calls with a key, and what that key allows."""

from __future__ import annotations

import hashlib
import secrets as random
from typing import NamedTuple

from flask import request
from sqlalchemy import Row, select

from models.records import ApiKey, Site
from models.settling.actor import Actor
from models.store.database import begin, reading
from service.http.problems import Problem
from service.sites.lookup import SiteInfo, find_site

SCOPES = ("read", "moderate", "admin")  # each includes those before it


class Caller(NamedTuple):
    """A program whose key was accepted."""

    site: SiteInfo
    actor: Actor
    scope: str

    @property
    def by(self) -> str:
        """How the logs name it."""
        return str(self.actor)


def make_key(site_id: int, scope: str) -> str:
    """A new key: 256 random bits. Only its SHA-256 is kept."""
    key = f"gr_{random.token_urlsafe(32)}"
    with begin() as session:
        session.add(ApiKey(site_id=site_id, scope=scope, hash=_hash(key), hint=key[:7]))
    return key


def caller(site_key: str, needs: str) -> Caller:
    """The caller of this request. Raises 401 without a good key, 403 for another site's or too
    small a scope.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise _unknown("This call needs a key: send `Authorization: Bearer gr_…`.")
    row = _row(key.strip())
    if row is None:
        raise _unknown("This key is not known, or was revoked.")
    site = find_site(site_key)
    if site is None or row.key != site_key:
        raise Problem(403, "This key belongs to another site.")
    if SCOPES.index(row.scope) < SCOPES.index(needs):
        raise Problem(403, f"This key may {row.scope}; the call needs one that may {needs}.")
    return Caller(site, Actor.key(row.id), row.scope)


def is_known(authorization: str) -> bool:
    """Whether this header carries a good key, of whatever site and scope."""
    scheme, _, key = authorization.partition(" ")
    return scheme.lower() == "bearer" and _row(key.strip()) is not None


def _row(key: str) -> Row[str, str, str] | None:
    wanted = select(ApiKey.id, ApiKey.scope, Site.key).join(Site, Site.id == ApiKey.site_id)
    with reading() as session:
        return session.execute(
            wanted.where(ApiKey.hash == _hash(key), ApiKey.revoked_at.is_(None))
        ).one_or_none()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="greenroom"'})
