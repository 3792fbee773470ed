"""Heartbeats: each part sends them repeatedly while it works; one that is stopped or hangs sends
none.

A part's process sends them by itself (worker/lifeline.py), so neither the database nor a flood of
clients can delay them. Valkey is asked instead.
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
)  # seconds without a heartbeat; the second is from a start to the first one
STARTING = SILENT_SECONDS - START_SECONDS
# The longest time between two looks that counts. If it was longer, `up` itself was stopped, as when
# a laptop sleeps, and so were its parts.
MOST_COUNTED = 2.0
MOST_HEARD = 1000  # heartbeats read at one look
# Only a hanging Valkey leaves this unanswered: it answers even without the password.
PING = b"PING\r\n"
SOON = 0.05


class Signs:
    """Receives the heartbeats of every part. A part may take its time until its first one.

    A part may have several names, one for each of its processes: `web` and `web.answering`.
    """

    def __init__(self) -> None:
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.bind(("127.0.0.1", 0))
        self._ear.setblocking(False)
        self._parts: set[str] = set()
        self._silent: dict[
            str, float
        ] = {}  # by name, for how many seconds it was silent; below 0 it may still be starting
        self._asked: dict[str, Ping] = {}
        self._looked = monotonic()

    @property
    def address(self) -> str:
        """The address for heartbeats, as `host:port`."""
        host, port = self._ear.getsockname()
        return f"{host}:{port}"

    def ask(self, part: str, port: int) -> None:
        """Ask this part, because it sends no heartbeats."""
        self._asked[part] = Ping(port)

    def expect(self, part: str) -> None:
        """Restart this part's time limit for starting. Call this before it starts, and after its
        last process has ended.
        """
        self._parts.add(part)
        self._hear()  # messages that the last process still sent
        for name in [name for name in self._silent if _part(name) == part]:
            del self._silent[name]
        self._silent[part] = STARTING

    def silent(self) -> set[str]:
        """Return the parts that have been silent for too long."""
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
        """Send a request, unless one is still unanswered. Return True once if nothing listens any
        more, because the process is restarting.
        """
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
