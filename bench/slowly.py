"""`python -m bench.slowly`: readers read and commenters post while other clients hold their
connections.

There are 200 bodies that never arrive, six more each second, 600 idle connections, and 40 clients
that never read their answers. Everybody else must be served in less than two seconds.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.load import get, post, read_answer
from bench.reading import Row
from bench.texts import comment
from tests.greenroom import running

SLOW, IDLE, DEAF, A_SECOND = 200, 600, 40, 6
SECONDS, MOST_SECONDS, CUT_SECONDS = 30.0, 2.0, 20.0
ROUTES = [
    "POST /console/sign-in",
    "POST /v1/sites/demo/comments",
    "PUT /v1/sites/demo/policy",
    "POST /v1/sites/nobody/comments",
    "POST /nowhere",
    "GET /health/ready",
]
READ = "/v1/sites/demo/comments?thread=/demo"
Request = Callable[[int], bytes]
ASKED: dict[str, tuple[Request, int]] = {
    "/health/live": (get("/health/live"), 200),
    "a thread": (get(READ), 200),
    "a thread, by Flask": (get(f"{READ}&x=1"), 200),
    "a post": (post("/v1/sites/demo/comments", comment), 202),
}


class Slow:
    """Opens slow bodies and records how each ends: after how many seconds, and with which
    status.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.seconds: list[float] = []
        self.statuses: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []

    def open(self, number: int) -> None:
        thread = threading.Thread(target=self._send, args=(number,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.statuses["still open"] += sum(thread.is_alive() for thread in self._threads)

    def _send(self, number: int) -> None:
        """Send one byte, and then nothing, or one more each second."""
        began = time.monotonic()
        with socket.create_connection(
            ("127.0.0.1", self._port), timeout=1 if number % 2 else 60
        ) as connection:
            connection.sendall(_head(number))
            said = b""
            while b"\r\n" not in said:
                try:
                    said += connection.recv(65536)
                except TimeoutError:
                    with contextlib.suppress(OSError):
                        connection.sendall(b"x")
                except OSError:
                    break
        self.seconds.append(time.monotonic() - began)
        self.statuses[said.split(b" ")[1].decode() if b" " in said else "none"] += 1


def measure(port: int) -> list[Row]:
    """Request every part on a separate connection, repeatedly, while the slow clients are there."""
    with _idle(port, IDLE), _deaf(port, DEAF):
        slow, longest, wrong = Slow(port), dict.fromkeys(ASKED, 0.0), 0
        for number in range(SLOW):
            slow.open(number)
        began, opened, asked = time.monotonic(), 0, 0
        while (passed := time.monotonic() - began) < SECONDS:
            for _ in range(int(passed * A_SECOND) - opened):
                slow.open(opened)
                opened += 1
            for name, (request, status) in ASKED.items():
                asked += 1
                took, told = _ask(port, request(asked))
                longest[name] = max(longest[name], took)
                wrong += told != status
            time.sleep(0.05)
        slow.wait(CUT_SECONDS)
    cut, statuses = max(slow.seconds), dict(slow.statuses)
    worst = max(longest.values())
    figures = ", ".join(f"{name} {took * 1000:.0f} ms" for name, took in longest.items())
    is_well = worst < MOST_SECONDS and not wrong
    were_cut = cut < CUT_SECONDS and set(+slow.statuses) == {"408"}
    return [
        Row(
            f"slowest answer beside {SLOW} slow bodies ÷ 2 s",
            f"{figures}; {wrong} wrong",
            worst / 2,
            "< 1",
            is_well,
        ),
        Row(
            "a slow body is cut ÷ 20 s",
            f"after {cut:.1f} s: {statuses}",
            cut / CUT_SECONDS,
            "< 1",
            were_cut,
        ),
    ]


@contextlib.contextmanager
def slow_bodies(port: int, count: int) -> Iterator[None]:
    """Hold that many connections with a body that never arrives, until the block ends."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", port), timeout=30)
            )
            connection.sendall(_head(number))
        yield


def _head(number: int) -> bytes:
    return (
        f"{ROUTES[number % len(ROUTES)]} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nx"
    ).encode()


def _ask(port: int, request: bytes) -> tuple[float, int]:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        status = int(read_answer(connection).split(b" ")[1])
    return time.monotonic() - began, status


@contextlib.contextmanager
def _idle(port: int, count: int) -> Iterator[None]:
    """Hold connections that send no request, and open them again when they are closed."""
    quiet = threading.Event()

    def keep() -> None:
        held: list[socket.socket] = []
        while not quiet.is_set():
            held = [one for one in held if _is_open(one)]
            held += [
                socket.create_connection(("127.0.0.1", port), timeout=30)
                for _ in range(count - len(held))
            ]
            quiet.wait(0.5)
        for one in held:
            one.close()

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        quiet.set()
        keeper.join()


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def _deaf(port: int, count: int) -> Iterator[None]:
    """Hold connections that request the largest answer repeatedly and never read it."""
    held = []
    for _ in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(1)
        connection.connect(("127.0.0.1", port))
        with contextlib.suppress(OSError):
            connection.sendall(get("/openapi.json")(0) * 50)
        held.append(connection)
    try:
        yield
    finally:
        for connection in held:
            connection.close()


def main() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard) if hard > 0 else soft, hard))
    with (
        tempfile.TemporaryDirectory(prefix="greenroom-slowly-") as folder,
        running(
            Path(folder) / "var", GREENROOM_RATE_LIMITS="off", GREENROOM_DNS="127.0.0.1:1"
        ) as up,
    ):
        rows = measure(up.port)
    table = Table("work", "measured", "ratio", "bar", "")
    for row in rows:
        table.add_row(
            row.work,
            row.figure,
            f"{row.ratio:.2f}",
            row.bar,
            "met" if row.is_met else "[red]not met[/red]",
        )
    Console().print(table)
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
