"""The sites this process serves, remembered for a few seconds: no query stands between a reader and
a thread.
"""

from __future__ import annotations

import re
import threading
import time
from typing import NamedTuple

from sqlalchemy import Row, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.judgement.policy import page_query
from models.records import Site
from models.records.site import PAGE_QUERY
from models.store import deadlines
from models.store.database import reading
from models.text.urls import origin_of

FRESH_SECONDS = 5.0
LOOK_SECONDS = (
    0.5  # the most a reader waits for news of a site that is known: what she reads lies in storage
)
MOST_REMEMBERED = 10_000
KEY = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


class SiteInfo(NamedTuple):
    """What the public side needs to know of a site.

    `origins` are scheme, host and port as a browser sends them; `page_query` names the parameters
    that tell its pages apart.
    """

    id: int
    key: str
    origins: tuple[str, ...]
    locale: str
    page_query: tuple[str, ...]


_remembered: dict[str, tuple[float, SiteInfo | None]] = {}
_asking: set[str] = set()  # the sites that some thread looks up just now
_lock = threading.Lock()


def find_site(key: str) -> SiteInfo | None:
    """The site of that key, or None: at most `FRESH_SECONDS` old, but while the database is away as
    it was last.
    """
    entry = _remembered.get(key)
    if entry and time.monotonic() - entry[0] < FRESH_SECONDS:
        return entry[1]
    if not KEY.fullmatch(key):
        return None
    if entry and entry[1]:
        _refresh(key, entry[1])
        return _remembered.get(key, entry)[1]
    return _remember(key, _look_up(key))


def _refresh(key: str, known: SiteInfo) -> None:
    """Look again at a site that is known. One thread does so, for a moment; the others go on with
    what is known.
    """
    with _lock:
        if key in _asking:
            return
        _asking.add(key)
    try:
        with deadlines.within(LOOK_SECONDS):
            _remember(key, _look_up(key))
    except (DBAPIError, PoolTimeout):
        _remember(key, known)
    finally:
        _asking.discard(key)


def _remember(key: str, site: SiteInfo | None) -> SiteInfo | None:
    with _lock:
        if len(_remembered) >= MOST_REMEMBERED and key not in _remembered:
            _make_room()
        _remembered[key] = (time.monotonic(), site)
    return site


def _make_room() -> None:
    """Forget the keys that are no site's: strangers can ask for any number of them."""
    for key in [key for key, (_, site) in _remembered.items() if site is None]:
        del _remembered[key]
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()


def learn_all() -> None:
    """Look up every site there is, unless some are known: from then on readers need no database."""
    if any(site for _, site in list(_remembered.values())):
        return
    with reading() as session:
        rows = session.execute(_SITES.limit(MOST_REMEMBERED // 2)).all()
    for row in rows:
        _remember(row.key, _info(row))


def fresh_site(key: str) -> SiteInfo | None:
    """What is remembered of that site, if it is fresh. It never asks the database, so the event
    loop may call it.
    """
    entry = _remembered.get(key)
    return entry[1] if entry and time.monotonic() - entry[0] < FRESH_SECONDS else None


def remembered_site(key: str) -> SiteInfo | None:
    """What was known of that site last, however old, without asking the database: to answer its
    errors with.
    """
    entry = _remembered.get(key)
    return entry[1] if entry else None


def _look_up(key: str) -> SiteInfo | None:
    with reading() as session:
        row = session.execute(_SITES.where(Site.key == key)).one_or_none()
    return _info(row) if row else None


def _info(row: Row[int, str, list[str], str, list[str] | None]) -> SiteInfo:
    """Origins as browsers send them, also those that were kept before a name in another script was."""
    origins = tuple(origin_of(url) or url for url in row.origins)
    return SiteInfo(row.id, row.key, origins, row.locale, page_query(row.page_query))


_SITES = select(Site.id, Site.key, Site.origins, Site.locale, PAGE_QUERY)


def forget_sites() -> None:
    _remembered.clear()
