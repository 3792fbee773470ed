"""No process outlives the one that started it, and `up` notices when one stands still.

A parent that was killed with -9 can't end its children, so each child looks after itself. Polling
the parent's id works on every Unix and from any thread; Linux's own parent-death signal fires when
only the *thread* that forked ends, and pools fork from threads.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

UP = "GREENROOM_UP"  # the process id of `greenroom up`, in the environment of what it starts
# where `up` hears signs of life, as `host:port`, and behind a space this part's name
PULSE = "GREENROOM_PULSE"
STARTS = "starts"  # behind a name: its process has begun, and gives its next sign when it works
POLL_SECONDS = 0.5
GRACE_SECONDS = (
    3.0  # for a process to end by itself; its own children start to count when it has gone
)


def watch_up() -> None:
    """End with `greenroom up`, where that started this process; started by hand, a part outlives
    its shell.
    """
    if UP in os.environ:
        _start_thread(int(os.environ[UP]), on_death=end, pulse=Pulse())


class Pulse:
    """Signs of life that this process gives to `up`; to nobody, if that did not start it."""

    def __init__(self, process: str = "") -> None:
        """`process`: which of the part's processes this is, if not the one that `up` started."""
        address, _, part = os.environ.get(PULSE, "").partition(" ")
        host, _, port = address.partition(":")
        self._to = (host, int(port)) if part else None
        self._name = f"{part}.{process}" if process else part

    def start(self) -> None:
        """Say that this process has begun, and may take a while until it works."""
        self._say(f"{self._name} {STARTS}")

    def beat(self) -> None:
        """Say that it works. Called every `POLL_SECONDS`, by the thread or loop whose standing
        still would matter.
        """
        self._say(self._name)

    def _say(self, words: str) -> None:
        if self._to:
            with (
                contextlib.suppress(OSError),
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
            ):
                mouth.setblocking(False)
                mouth.sendto(words.encode(), self._to)


def watch_parent(parent: int | None = None, *, on_death: Callable[[], None] | None = None) -> None:
    """End this process soon after its parent: SIGTERM first, SIGKILL if it still runs after a
    grace.

    `parent` is the process id to expect, where the caller knows it: then a parent that died before
    this is seen too.
    """
    _start_thread(_parent() if parent is None else parent, on_death=on_death or end)


def _start_thread(parent: int, *, on_death: Callable[[], None], pulse: Pulse | None = None) -> None:
    threading.Thread(
        target=_watch, args=(parent, on_death, pulse), name="lifeline", daemon=True
    ).start()


def _parent() -> int:
    """Who forked us, even if that one has died meanwhile, as far as multiprocessing noted it."""
    noted = multiprocessing.parent_process()
    return noted.pid if noted and noted.pid else os.getppid()


def _watch(parent: int, on_death: Callable[[], None], pulse: Pulse | None) -> None:
    while os.getppid() == parent:
        if pulse:
            pulse.beat()
        time.sleep(POLL_SECONDS)
    on_death()


def end() -> None:
    """End this process: asked first, killed if it still runs after a grace."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
