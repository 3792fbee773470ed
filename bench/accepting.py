"""Measure accepting as a share of the rate of a bare Flask insert, with the broker running,
refusing, and black-holed.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.load import Measured, load, post
from bench.reading import Row
from bench.texts import comment
from tests.greenroom import GREENROOM, free_port, until

SECONDS, ROUNDS = 3.0, 3
_counter = iter(range(1, 1_000_000_000, 100_000_000))


@contextmanager
def serving_greenroom(data: Path, **environment: str) -> Iterator[int]:
    """Run `greenroom serve`; yield its port."""
    port = free_port()
    variables = {
        **os.environ,
        "GREENROOM_DATA": str(data),
        "GREENROOM_PORT": str(port),
        "GREENROOM_RATE_LIMITS": "off",
    }
    process = subprocess.Popen(
        [*GREENROOM, "serve"], env=variables | environment, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: is_listening(port), 30)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


@contextmanager
def serving(target: str, data: Path, **environment: str) -> Iterator[int]:
    """Run Granian around some WSGI application, with as many threads as ours has for writing; yield
    its port.
    """
    port = free_port()
    script = (
        "from granian.server import Server; from granian.constants import Interfaces;"
        "from models.settings import settings;"
        f"Server({target!r}, address='127.0.0.1', port={port}, interface=Interfaces.WSGI, "
        "workers=1,"
        "blocking_threads=settings().web_threads, log_access=False, workers_kill_timeout=3).serve()"
    )
    variables = {
        **os.environ,
        "GREENROOM_DATA": str(data),
        "GREENROOM_RATE_LIMITS": "off",
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=variables, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: is_listening(port), 30)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def black_hole() -> Iterator[int]:
    """Yield a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
        for connection in held:
            connection.close()


def measure(data: Path, redis_url: str) -> list[Row]:
    """Measure the three in turns, so that the machine's other work affects each of them equally."""
    with (
        black_hole() as hole,
        serving("bench.bare:app", data) as bare,
        serving_greenroom(data, GREENROOM_REDIS_URL=redis_url) as well,
        serving_greenroom(data, GREENROOM_REDIS_URL=f"redis://127.0.0.1:{hole}/0") as silent,
    ):
        rounds = [(_bare(bare), _posts(well), _posts(silent)) for _ in range(ROUNDS)]
    plain, up, hung = zip(*rounds, strict=True)
    base, rate = median(run.rate for run in plain), median(run.rate for run in up)
    p99, p99_hung = (
        median(run.percentile(99) for run in up),
        median(run.percentile(99) for run in hung),
    )
    wrong = sum(run.wrong for run in [*up, *hung])
    assert wrong == 0, f"{wrong} posts were not accepted"
    figures = f"{rate:,.0f}/s of {base:,.0f}/s"
    tail = f"{p99 * 1000:.0f} ms up, {p99_hung * 1000:.0f} ms black-holed"
    return [
        Row("accept ÷ a bare Flask insert", figures, rate / base, "≥ 0.5", rate / base >= 0.5),
        Row(
            "accept p99, broker black-holed ÷ up", tail, p99_hung / p99, "≤ 2", p99_hung / p99 <= 2
        ),
    ]


def _posts(port: int) -> Measured:
    request = post("/v1/sites/demo/comments", comment)
    return load(port, request, seconds=SECONDS, status=202, first=next(_counter))


def _bare(port: int) -> Measured:
    return load(port, post("/bare", comment), seconds=SECONDS, status=202)
