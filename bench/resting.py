"""Measure the memory of `up` and all its processes when they are ready and idle."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from bench.reading import Row
from tests.greenroom import running

SECONDS = 20.0  # by then the model is loaded, and the first sweeps are done
MOST_MB, MOST_MB_WEB = 350, 90


def measure(data: Path) -> list[Row]:
    """Return the resident memory, summed over the processes. Shared memory counts more than once,
    to our disadvantage.
    """
    with running(data, GREENROOM_DNS="127.0.0.1:1") as up:
        time.sleep(SECONDS)
        whole = sum(_held(up.process.pid))
        parts = {part: _held(up.pid(part)) for part in ("web", "worker-screen", "valkey")}
    told = ", ".join(f"{part} {sum(sizes):.0f}" for part, sizes in parts.items())
    web = max(parts["web"])  # the process that answers; Granian's other one only supervises it
    return [
        Row(
            "idle memory: all of up",
            f"{whole:.0f} MB ({told})",
            whole / MOST_MB,
            "≤ 350 MB",
            whole <= MOST_MB,
        ),
        Row(
            "idle memory: the web process",
            f"{web:.0f} MB",
            web / MOST_MB_WEB,
            "≤ 90 MB",
            web <= MOST_MB_WEB,
        ),
    ]


def _held(pid: int) -> list[float]:
    """Return the megabytes that this process and all its children hold."""
    return [process.memory_info().rss / 2**20 for process in _family(pid)]


def _family(pid: int) -> list[psutil.Process]:
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]
