"""What all of `up` holds in memory once it is ready and nobody asks anything of it."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from bench.reading import Row
from tests.greenroom import running

SECONDS = 20.0  # by then the model is loaded, and the first sweeps have been
MOST_MB, MOST_MB_WEB = 350, 90


def measure(data: Path) -> list[Row]:
    """Resident memory, each process's own sum: what they share is counted more than once, to our
    disadvantage.
    """
    with running(data, GREENROOM_DNS="127.0.0.1:1") as up:
        time.sleep(SECONDS)
        whole = sum(_held(up.process.pid))
        parts = {part: _held(up.pid(part)) for part in ("web", "worker-screen", "valkey")}
    told = ", ".join(f"{part} {sum(sizes):.0f}" for part, sizes in parts.items())
    web = max(parts["web"])  # the process that answers; Granian's other only minds it
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
    """In megabytes, by this process and all that it began."""
    return [process.memory_info().rss / 2**20 for process in _family(pid)]


def _family(pid: int) -> list[psutil.Process]:
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]
