"""A worker that starts after another ended amid a batch is careful for a while: it screens every
batch in isolation.

So whatever ended the last one ends this one no more, however many such comments come.
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
    """Comments that the last worker of this host did not finish; if there are any, this one is
    careful from now on.

    `before` loads what the screeners shall have in memory when they begin.

    To be called while this process has no threads. If the database is away, nothing is known of the
    last worker: its comments are found by the sweep.
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
    """The isolation to screen in, while this worker is careful."""
    isolation = _Now.isolation
    return None if isolation is None or isolation.is_gone else isolation


def end_carefulness() -> None:
    isolation, _Now.isolation = _Now.isolation, None
    if isolation:
        isolation.close()


@contextmanager
def isolation() -> Iterator[Isolation]:
    """The one there is, or one for this block."""
    if kept := careful():
        yield kept
        return
    ours = started()
    try:
        yield ours
    finally:
        ours.close()
