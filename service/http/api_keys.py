"""Who calls with a key, and what that key allows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import request
from sqlalchemy import Update, or_, select, update

from models.records import ApiKey, Site
from models.runtime import part
from models.settling.actor import Actor
from models.store.database import now, reading
from service.http.last_use import LastUse
from service.http.problems import Problem
from service.sites.lookup import SiteInfo, find_site

LADDER = ("read", "moderate", "admin")  # each includes those before it
POST = "post"  # posts for readers, and passes their addresses
METRICS = "metrics"  # reads /metrics, of the whole installation
SITE_SCOPES = (*LADDER, POST)
SCOPES = (*SITE_SCOPES, METRICS)
NOTED_EVERY = timedelta(minutes=1)  # the last use of a key


class Caller(NamedTuple):
    """A program whose key was accepted, or an owner in the console."""

    site: SiteInfo
    actor: Actor
    scopes: tuple[str, ...]

    @property
    def by(self) -> str:
        """The caller's name in the logs."""
        return str(self.actor)


class _Found(NamedTuple):
    id: str
    name: str
    scopes: tuple[str, ...]
    learn: bool
    site: str | None
    last_used_at: datetime | None


def allows(scopes: Collection[str], needs: str) -> bool:
    """Whether a key with these scopes may make calls that need the given scope."""
    if needs not in LADDER:
        return needs in scopes
    return any(scope in scopes for scope in LADDER[LADDER.index(needs) :])


def caller(site_key: str, needs: str) -> Caller:
    """Return the caller of this request. Raises a 401 without a valid key, and a 403 for another
    site's key or an insufficient scope.
    """
    found = _needed(request.headers.get("Authorization", ""))
    site = find_site(site_key)
    if site is None or found.site != site_key:
        raise Problem(403, "This key belongs to another site.")
    if not allows(found.scopes, needs):
        raise Problem(
            403,
            f"This key's scopes are: {', '.join(found.scopes)}. This call needs {needs}.",
        )
    _note_use(found)
    return Caller(site, Actor.key(found.id, found.name, learn=found.learn), found.scopes)


def opens_metrics(authorization: str) -> bool:
    """Whether this header carries a key that reads `/metrics`. A site's own keys do not."""
    found = _found(authorization)
    if found is None or not allows(found.scopes, METRICS):
        return False
    _note_use(found)
    return True


def hash_of(key: str) -> str:
    """Return the hash that the table stores."""
    return hashlib.sha256(key.encode()).hexdigest()


def _needed(authorization: str) -> _Found:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise _unknown("This call needs a key: send `Authorization: Bearer gr_…`.")
    found = _found(authorization)
    if found is None:
        raise _unknown("This key is unknown, revoked or expired.")
    return found


def _found(authorization: str) -> _Found | None:
    """Return the key of this header, if it is valid now."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    wanted = select(
        ApiKey.id,
        ApiKey.name,
        ApiKey.scope,
        ApiKey.scopes,
        ApiKey.learn,
        Site.key,
        ApiKey.last_used_at,
    ).outerjoin(Site, Site.id == ApiKey.site_id)
    works = ApiKey.revoked_at.is_(None) & or_(
        ApiKey.expires_at.is_(None), ApiKey.expires_at > now()
    )
    with reading() as session:
        row = session.execute(
            wanted.where(ApiKey.hash == hash_of(key.strip()), works)
        ).one_or_none()
    if row is None:
        return None
    scopes = tuple(row.scopes or [row.scope])
    return _Found(row.id, row.name, scopes, row.learn, row.key, row.last_used_at)


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="greenroom"'})


@part
def _uses() -> LastUse:
    return LastUse(NOTED_EVERY)


def _note_use(found: _Found) -> None:
    def used(at: datetime) -> Update:
        is_old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= at - NOTED_EVERY)
        return update(ApiKey).where(ApiKey.id == found.id, is_old).values(last_used_at=at)

    _uses().note(found.id, found.last_used_at, used)
