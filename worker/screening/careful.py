"""A worker that starts after another one ended during a batch is careful for a while: it screens
every batch in isolation.

So whatever ended the last worker does not end this one, however many such comments there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from worker.screening.batches import unfinished
from worker.screening.isolation import Isolation, Screening, forked, started

SECONDS = 60.0
log = structlog.get_logger()


class _Now:
    isolation: Isolation | None = None


def begin_carefully(screening: Screening, *, before: Callable[[], object]) -> list[str]:
    """Return the comments that the last worker of this host did not finish. If there are any, this
    worker is careful from now on.

    `before` loads everything that the screeners need in memory when they start.

    Call this before the process starts other threads. If the database is down, nothing is known
    about the last worker; the sweep finds its comments later.
    """
    try:
        suspects = unfinished()
    except SQLAlchemyError:
        return []
    if suspects:
        log.warning(
            "screening.unfinished",
            count=len(suspects),
            reason="a worker ended while it screened these",
        )
        before()
        _Now.isolation = forked(screening)
        ending = threading.Timer(SECONDS, end_carefulness)
        ending.daemon = True
        ending.start()
    return suspects


def careful() -> Isolation | None:
    """Return the isolation to screen in, while this worker is careful."""
    isolation = _Now.isolation
    return None if isolation is None or isolation.is_gone else isolation


def end_carefulness() -> None:
    isolation, _Now.isolation = _Now.isolation, None
    if isolation:
        isolation.close()


@contextmanager
def isolation() -> Iterator[Isolation]:
    """Yield the existing isolation, or one for this block."""
    if kept := careful():
        yield kept
        return
    ours = started()
    try:
        yield ours
    finally:
        ours.close()
