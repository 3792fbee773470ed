"""How long a thread waits for the database before it gives up.

Each thread has two limits. After its deadline it sends no more statements: a reader's request has
one. Its patience is how long it waits while the database answers no connection at all. Long work is
never interrupted while the database answers others.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

WEB_PATIENCE = 1.5  # seconds, after the first second of waiting, in which no probe is sent
WORKER_PATIENCE = 10.0
COMMAND_PATIENCE = 60.0  # migrations and backups: starting again costs more than waiting
WEB_SILENCE, WORKER_SILENCE = (
    60.0,
    120.0,
)  # for one statement: its connection may be dead while others work


class _Bounds(threading.local):
    deadline: float = math.inf  # on the monotonic clock
    patience: float | None = None  # the process's own


_bounds = _Bounds()
_process = {"patience": COMMAND_PATIENCE, "silence": math.inf}


def be_patient(seconds: float, *, silence: float = WORKER_SILENCE) -> None:
    """Set the default patience for the threads of this process. `silence` is how long one statement
    may wait for its answer while the database answers others.
    """
    _process.update(patience=seconds, silence=silence)


def silence() -> float:
    return _process["silence"]


def patience() -> float:
    """Return how many seconds the database may answer no connection before this thread gives up."""
    own = _bounds.patience
    return _process["patience"] if own is None else own


def deadline() -> float:
    """Return the moment, on the monotonic clock, after which this thread sends no more
    statements.
    """
    return _bounds.deadline


def seconds_left() -> float:
    return max(0.0, _bounds.deadline - monotonic())


def start(seconds: float, patience: float) -> None:
    """Limit everything that this thread does until it calls `stop()`."""
    _bounds.deadline, _bounds.patience = monotonic() + seconds, patience


def stop() -> None:
    _bounds.deadline, _bounds.patience = math.inf, None


@contextmanager
def within(seconds: float, *, patience: float | None = None) -> Iterator[None]:
    """Limit the block more tightly than the thread's other work."""
    before = _bounds.deadline, _bounds.patience
    _bounds.deadline = min(before[0], monotonic() + seconds)
    if patience is not None:
        _bounds.patience = patience
    try:
        yield
    finally:
        _bounds.deadline, _bounds.patience = before
