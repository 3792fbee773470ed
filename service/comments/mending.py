"""Repair objects that were damaged in storage: readers get them from the rows, and a worker writes
them again.
"""

from __future__ import annotations

import threading

import structlog
from cachetools import TTLCache
from sqlalchemy.exc import DBAPIError

from models import caches
from models.store import storage
from models.store.database import reading
from models.store.storage import Damaged, Stored
from service.comments.pages import Get
from worker.bell import PUBLISH, ring_soon

AGAIN_SECONDS = 10.0  # before an object that is still damaged is made due once more
MOST_REMEMBERED = 1000

log = structlog.get_logger()
# The names of objects that were made due a moment ago.
_owed: TTLCache[str, None] = TTLCache(MOST_REMEMBERED, AGAIN_SECONDS)
_guard = threading.Lock()
caches.register(_owed.clear)


def getting(site: str, thread: str) -> Get:
    """Return a function that gets an object of that thread, damaged or not."""

    def get(name: str) -> Stored | None:
        try:
            return storage.get(name)
        except Damaged as damage:
            return _from_the_rows(site, thread, damage)

    return get


def _from_the_rows(site: str, thread: str, damage: Damaged) -> Stored | None:
    # imported here, because it loads an XML library for a rare case
    from worker.publishing.pages import object_named, thread_number  # noqa: PLC0415

    with reading(of_one_moment=True) as session:
        number = thread_number(session, site, thread)
        built = object_named(session, number, damage.name) if number else None
    if number:
        _owe(number, damage)
    return Stored(built.content, built.tag) if built else None


def _owe(thread_id: int, damage: Damaged) -> None:
    from worker.publishing.publishing import owe_object  # noqa: PLC0415

    with _guard:
        if damage.name in _owed:
            return
        _owed[damage.name] = None
    log.error("page.damaged", thread=thread_id, path=damage.name, reason=damage.why)
    try:
        owe_object(thread_id, damage.name)
    except DBAPIError as error:  # the reader has the page already; the next request tries again
        log.warning("page.not_owed", thread=thread_id, error=type(error).__name__)
        return
    ring_soon(PUBLISH, thread_id)
