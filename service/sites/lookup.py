"""The sites of this process, cached for a few seconds, so that no query delays a reader."""

from __future__ import annotations

import re
import threading
import time
from functools import lru_cache
from typing import NamedTuple

from cachetools import FIFOCache, TTLCache
from sqlalchemy import Row, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models import caches
from models.judgement.policy import MayPost, page_query
from models.records import Site
from models.records.site import MAY_POST, PAGE_QUERY
from models.store import deadlines
from models.store.database import reading
from models.text.urls import origin_of

FRESH_SECONDS = 5.0
LOOK_SECONDS = (
    0.5  # how long a reader waits for news of a known site; the page itself is in storage
)
MOST_REMEMBERED = 10_000
KEY = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


class SiteInfo(NamedTuple):
    """A site's properties that the public pages need.

    `stored_origins` are scheme, host and port in the form that the command stored; `page_query`
    names the query parameters that identify a page. `identity` is the policy's word for who may
    post.
    """

    id: int
    key: str
    stored_origins: tuple[str, ...]
    locale: str
    page_query: tuple[str, ...]
    identity: MayPost = "anyone"

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins as browsers send them, including those that an earlier release stored with a
        name in another script.

        They are parsed when they are first needed, because the URL parser takes 2 MB.
        """
        return _as_browsers_send(self.stored_origins)


@lru_cache(maxsize=1024)
def _as_browsers_send(origins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(origin_of(url) or url for url in origins)


class _Seen(NamedTuple):
    site: SiteInfo
    at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.at < FRESH_SECONDS


# Existing sites are cached forever, so that readers get their pages while the database is down.
# Strangers can ask for any number of keys that are no site's, so those have a separate cache.
_seen: FIFOCache[str, _Seen] = FIFOCache(MOST_REMEMBERED)
_unknown: TTLCache[str, None] = TTLCache(MOST_REMEMBERED, FRESH_SECONDS)
_asking: set[str] = set()  # the sites that some thread is looking up right now
_lock = threading.Lock()
caches.register(_seen.clear)
caches.register(_unknown.clear)


def find_site(key: str) -> SiteInfo | None:
    """Return the site of that key, or None. It is at most `FRESH_SECONDS` old, unless the database
    is down.
    """
    seen = caches.peek(_seen, key)
    if seen and seen.is_fresh:
        return seen.site
    if not KEY.fullmatch(key):
        return None
    if seen:
        _refresh(seen.site)
        return remembered_site(key)
    with _lock:
        if key in _unknown:
            return None
    return _remember(key, _look_up(key))


def _refresh(known: SiteInfo) -> None:
    """Look up a known site again. One thread does so, for a moment; the others continue with the
    cached one.
    """
    with _lock:
        if known.key in _asking:
            return
        _asking.add(known.key)
    try:
        with deadlines.within(LOOK_SECONDS):
            _remember(known.key, _look_up(known.key))
    except (DBAPIError, PoolTimeout):
        _remember(known.key, known)
    finally:
        _asking.discard(known.key)


def _remember(key: str, site: SiteInfo | None) -> SiteInfo | None:
    with _lock:
        if site:
            _seen[key] = _Seen(site, time.monotonic())
            _unknown.pop(key, None)
        else:
            _seen.pop(key, None)
            _unknown[key] = None
    return site


def learn_all() -> None:
    """Look up every site, unless some are cached: after that, readers need no database."""
    if _seen.currsize:
        return
    with reading() as session:
        rows = session.execute(_SITES.limit(MOST_REMEMBERED // 2)).all()
    for row in rows:
        _remember(row.key, _info(row))


def fresh_site(key: str) -> SiteInfo | None:
    """Return the cached site if it is fresh. This never asks the database, so the event loop may
    call it.
    """
    seen = caches.peek(_seen, key)
    return seen.site if seen and seen.is_fresh else None


def remembered_site(key: str) -> SiteInfo | None:
    """Return the cached site, however old, without asking the database. Used for errors of the
    database.
    """
    seen = caches.peek(_seen, key)
    return seen.site if seen else None


def _look_up(key: str) -> SiteInfo | None:
    with reading() as session:
        row = session.execute(_SITES.where(Site.key == key)).one_or_none()
    return _info(row) if row else None


def _info(row: Row[int, str, list[str], str, list[str] | None, MayPost | None]) -> SiteInfo:
    return SiteInfo(
        row.id,
        row.key,
        tuple(row.origins),
        row.locale,
        page_query(row.page_query),
        row.identity or "anyone",
    )


_SITES = select(Site.id, Site.key, Site.origins, Site.locale, PAGE_QUERY, MAY_POST)
