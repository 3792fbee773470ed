"""End with the process that started this one, and let `up` notice a process that hangs.

A parent that was killed with -9 can't end its children, so each child watches its parent. Polling
the parent's id works on every Unix and from any thread. Linux's own parent-death signal fires when
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

UP = "GREENROOM_UP"  # the process id of `greenroom up`, in the environment of its processes
# Where `up` listens for heartbeats, as `host:port`, then a space and this part's name.
PULSE = "GREENROOM_PULSE"
STARTS = "starts"  # after a name: the process has started but does not work yet
POLL_SECONDS = 0.5
GRACE_SECONDS = (
    3.0  # for a process to end by itself; its own children start to count after it has gone
)


def watch_up() -> None:
    """End with `greenroom up`, if that started this process. A part that was started by hand
    outlives its shell.
    """
    if UP in os.environ:
        _start_thread(int(os.environ[UP]), on_death=end, pulse=Pulse())


class Pulse:
    """Heartbeats from this process to `up`. It sends none if `up` did not start it."""

    def __init__(self, process: str = "") -> None:
        """`process` says which of the part's processes this is, if it is not the one that `up`
        started.
        """
        address, _, part = os.environ.get(PULSE, "").partition(" ")
        host, _, port = address.partition(":")
        self._to = (host, int(port)) if part else None
        self._name = f"{part}.{process}" if process else part

    def start(self) -> None:
        """Tell `up` that this process has started, and may need a while until it works."""
        self._say(f"{self._name} {STARTS}")

    def beat(self) -> None:
        """Tell `up` that this process works. Call it every `POLL_SECONDS`, from the thread or loop
        that must not hang.
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
    """End this process soon after its parent: SIGTERM first, and SIGKILL if it still runs after a
    grace period.

    `parent` is the process id to expect, if the caller knows it. Then a parent that died before
    this call is noticed, too.
    """
    _start_thread(_parent() if parent is None else parent, on_death=on_death or end)


def _start_thread(parent: int, *, on_death: Callable[[], None], pulse: Pulse | None = None) -> None:
    threading.Thread(
        target=_watch, args=(parent, on_death, pulse), name="lifeline", daemon=True
    ).start()


def _parent() -> int:
    """Return the process that forked us, even if it has died meanwhile, as far as multiprocessing
    recorded it.
    """
    noted = multiprocessing.parent_process()
    return noted.pid if noted and noted.pid else os.getppid()


def _watch(parent: int, on_death: Callable[[], None], pulse: Pulse | None) -> None:
    while os.getppid() == parent:
        if pulse:
            pulse.beat()
        time.sleep(POLL_SECONDS)
    on_death()


def end() -> None:
    """End this process: with SIGTERM, and with SIGKILL if it still runs after a grace period."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
