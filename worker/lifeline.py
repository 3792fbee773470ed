"""No process outlives the one that started it, not even when that one was killed with -9.

The dead can't end their children, so each child looks after itself. Polling the parent's id works on every Unix and
from any thread; Linux's own parent-death signal fires when only the *thread* that forked ends, and pools fork from
threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

UP = "GREENROOM_UP"  # the process id of `greenroom up`, in the environment of what it starts
POLL_SECONDS = 0.5
GRACE_SECONDS = 3.0  # for a process to end by itself; its own children start to count when it has gone


def watch_up() -> None:
    """End with `greenroom up`, where that started this process; started by hand, a part outlives its shell."""
    if UP in os.environ:
        watch_parent(int(os.environ[UP]))


def watch_parent(parent: int | None = None, *, on_death: Callable[[], None] | None = None) -> None:
    """End this process soon after its parent: SIGTERM first, SIGKILL if it still runs after a grace.

    `parent` is the process id to expect, where the caller knows it: then a parent that died before this is seen too.
    """
    watched = _parent() if parent is None else parent
    threading.Thread(target=_watch, args=(watched, on_death or end), name="lifeline", daemon=True).start()


def _parent() -> int:
    """Who forked us, even if that one has died meanwhile, as far as multiprocessing noted it."""
    noted = multiprocessing.parent_process()
    return noted.pid if noted and noted.pid else os.getppid()


def _watch(parent: int, on_death: Callable[[], None]) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    on_death()


def end() -> None:
    """End this process: asked first, killed if it still runs after a grace."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
