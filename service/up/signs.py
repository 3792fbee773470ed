"""Signs of life: each part gives them again and again while it works; one that is stopped or hangs
gives none.

A part's process sends them by itself (worker/lifeline.py), so neither the database nor a flood of
clients can hold them up. Valkey is asked.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from time import monotonic

from worker.lifeline import STARTS

SILENT_SECONDS, START_SECONDS = (
    10.0,
    90.0,
)  # without a sign; the second from a start to its first sign
STARTING = SILENT_SECONDS - START_SECONDS
# Of the time between two looks, this much counts at most. If it is longer, `up` was stopped itself,
# as when a laptop sleeps, and so were its parts.
MOST_COUNTED = 2.0
MOST_HEARD = 1000  # signs at one look
# unanswered only by a Valkey that does nothing: without the password it answers, too
PING = b"PING\r\n"
SOON = 0.05


class Signs:
    """Hears the signs of every part. A part may take its time until its first sign.

    A part may have several names, one for each of its processes: `web` and `web.answering`.
    """

    def __init__(self) -> None:
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.bind(("127.0.0.1", 0))
        self._ear.setblocking(False)
        self._parts: set[str] = set()
        self._silent: dict[
            str, float
        ] = {}  # by name, for how many seconds; below 0 it may still be starting
        self._asked: dict[str, Ping] = {}
        self._looked = monotonic()

    @property
    def address(self) -> str:
        """Where signs are sent to, as `host:port`."""
        host, port = self._ear.getsockname()
        return f"{host}:{port}"

    def ask(self, part: str, port: int) -> None:
        """Ask this part itself, as it sends no signs."""
        self._asked[part] = Ping(port)

    def expect(self, part: str) -> None:
        """Give this part its time to start. Called before it is started, and when its last process
        is gone.
        """
        self._parts.add(part)
        self._hear()  # what the last one still said
        for name in [name for name in self._silent if _part(name) == part]:
            del self._silent[name]
        self._silent[part] = STARTING

    def silent(self) -> set[str]:
        """The parts that have given no sign for too long."""
        now = monotonic()
        passed, self._looked = min(now - self._looked, MOST_COUNTED), now
        for name in self._silent:
            self._silent[name] += passed
        self._hear()
        for part, ping in self._asked.items():
            if ping.has_gone():
                self._silent[part] = STARTING
            elif ping.is_answered():
                self._silent[part] = 0
        return {_part(name) for name, seconds in self._silent.items() if seconds >= SILENT_SECONDS}

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(MOST_HEARD):
                name, _, more = self._ear.recv(200).decode("ascii", "replace").partition(" ")
                if _part(name) in self._parts:
                    self._silent[name] = STARTING if more == STARTS else 0

    def close(self) -> None:
        self._ear.close()


class Ping:
    """Asks a server on this machine, and waits for its answer from one look to the next."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._has_answered = False
        self._connection: socket.socket | None = None

    def has_gone(self) -> bool:
        """Ask, if nothing is asked. True once, when nobody listens any more: it starts again."""
        if self._connection:
            return False
        connection = socket.socket()
        connection.settimeout(SOON)
        try:
            connection.connect(("127.0.0.1", self._port))
            connection.sendall(PING)
        except OSError as error:
            connection.close()
            has_gone = self._has_answered and error.errno == errno.ECONNREFUSED
            self._has_answered = self._has_answered and not has_gone
            return has_gone
        self._connection = connection
        return False

    def is_answered(self) -> bool:
        if self._connection is None:
            return False
        try:
            answer = self._connection.recv(200)
        except TimeoutError:
            return False
        except OSError:
            answer = b""
        self._connection.close()
        self._connection = None
        self._has_answered = self._has_answered or answer != b""
        return answer != b""


def _part(name: str) -> str:
    return name.partition(".")[0]
