"""How long a thread waits for the database before it gives up.

Two bounds count, and both belong to the thread. The deadline is a moment after which nothing more
is asked: a reader's request has one. The patience is for how long the database may answer nobody at
all: work that takes long is never cut while the database answers others.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

WEB_PATIENCE = (
    1.5  # seconds, after the second that passes before anybody asks whether the database answers
)
WORKER_PATIENCE = 10.0
COMMAND_PATIENCE = 60.0  # migrations, backups: to begin again costs more than to wait
WEB_SILENCE, WORKER_SILENCE = (
    60.0,
    120.0,
)  # for one statement: its connection may be dead while others live


class _Bounds(threading.local):
    deadline: float = math.inf  # on the monotonic clock
    patience: float | None = None  # the process's own


_bounds = _Bounds()
_process = {"patience": COMMAND_PATIENCE, "silence": math.inf}


def be_patient(seconds: float, *, silence: float = WORKER_SILENCE) -> None:
    """Set the patience of every thread of this process that has none of its own.

    `silence`: how long a statement may be without any answer, though the database answers others.
    """
    _process.update(patience=seconds, silence=silence)


def silence() -> float:
    return _process["silence"]


def patience() -> float:
    """For how many seconds the database may answer nobody before this thread gives up."""
    own = _bounds.patience
    return _process["patience"] if own is None else own


def deadline() -> float:
    """The moment, on the monotonic clock, after which this thread asks the database
    nothing more.
    """
    return _bounds.deadline


def seconds_left() -> float:
    return max(0.0, _bounds.deadline - monotonic())


def start(seconds: float, patience: float) -> None:
    """Bound what this thread does from now on, until `stop()`."""
    _bounds.deadline, _bounds.patience = monotonic() + seconds, patience


def stop() -> None:
    _bounds.deadline, _bounds.patience = math.inf, None


@contextmanager
def within(seconds: float, *, patience: float | None = None) -> Iterator[None]:
    """Bound the block more tightly than the rest of what this thread does."""
    before = _bounds.deadline, _bounds.patience
    _bounds.deadline = min(before[0], monotonic() + seconds)
    if patience is not None:
        _bounds.patience = patience
    try:
        yield
    finally:
        _bounds.deadline, _bounds.patience = before
