"""Whether processes still run.

A zombie does not run: it has ended, and its parent or init will collect its exit status at a time
that no test can know. `psutil.pid_exists`, `Process.is_running`, `psutil.wait_procs` and signal 0
all count a zombie as alive, so tests use this module (tests/test_steadiness.py checks that they
do).
"""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def is_running(process: psutil.Process | int) -> bool:
    """Whether a process, given as an object or by its id, still runs."""
    try:
        known = psutil.Process(process) if isinstance(process, int) else process
        return known.is_running() and known.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if is_running(process)]


def descendants(pid: int) -> list[psutil.Process]:
    """Return the running processes that this one started, and those that they started."""
    try:
        return still_running(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
