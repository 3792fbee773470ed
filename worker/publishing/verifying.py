"""Check published files that nobody may have requested through Greenroom, because the front serves
the files directly.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from time import monotonic

import structlog
from sqlalchemy import select

from models.records import Site, Thread
from models.store import storage
from models.store.database import reading
from models.store.storage import TOPS_A_PAGE, Damaged
from worker.publishing.publishing import owe_object

VERIFY_SECONDS = 30.0  # between two steps
THREADS_AT_ONCE, PAGES_AT_ONCE = 50, 40
log = structlog.get_logger()


class Verifier:
    """Goes through all threads, some at each step. It checks only files: object stores verify what
    they store.
    """

    def __init__(self) -> None:
        self._last = 0
        self._next = 0.0

    def step_if_due(self) -> None:
        if monotonic() >= self._next:
            self.step()
            self._next = monotonic() + VERIFY_SECONDS

    def step(self) -> int:
        """Make every object due that is damaged or missing. Return how many there are."""
        if not storage.is_folder():
            return 0
        settled = (
            (Thread.revision > 0)
            & (Thread.revision == Thread.published_revision)
            & Thread.publish_due.is_(None)
        )
        wanted = select(Thread.id, Thread.key, Thread.places, Site.key.label("site"))
        wanted = wanted.join(Site, Site.id == Thread.site_id).where(settled, Thread.id > self._last)
        with reading() as session:
            rows = session.execute(wanted.order_by(Thread.id).limit(THREADS_AT_ONCE)).all()
        self._last = rows[-1].id if len(rows) == THREADS_AT_ONCE else 0
        return sum(
            _verify(row.id, name) for row in rows for name in _names(row.site, row.key, row.places)
        )


def _names(site: str, key: str, places: int) -> Iterator[str]:
    yield storage.newest_name(site, key)
    yield storage.feed_name(site, key)
    pages = range(1, -(-places // TOPS_A_PAGE) + 1)
    for page in pages if len(pages) <= PAGES_AT_ONCE else random.sample(pages, PAGES_AT_ONCE):
        yield storage.page_name(site, key, page)


def _verify(thread_id: int, name: str) -> bool:
    found = storage.look(name)
    if isinstance(found, storage.Stored):
        return False
    why = found.why if isinstance(found, Damaged) else "is missing"
    log.error("page.damaged", thread=thread_id, path=name, reason=why)
    owe_object(thread_id, name)
    return True
