"""Measure the time from the form to the published page, at 50 comments a second, and again with a
black-holed broker.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import orjson

from bench.accepting import black_hole
from bench.load import get, post, read_answer
from bench.reading import Row
from bench.texts import comment
from tests.greenroom import running

RATE, SECONDS = 50, 8.0
FIRST, FIRST_IN_SILENCE = 3_000_000_000, 3_500_000_000
PATIENCE_SECONDS = 120.0


def measure(port: int) -> list[Row]:
    took = _travel(port, FIRST)
    p50, p99 = (quantiles(took, n=100)[percent - 1] * 1000 for percent in (50, 99))
    return [
        Row("form to published at 50/s, p50", f"{p50:.0f} ms", p50 / 100, "< 100 ms", p50 < 100),
        Row("form to published at 50/s, p99", f"{p99:.0f} ms", p99 / 500, "< 500 ms", p99 < 500),
    ]


def measure_in_silence(data: Path) -> list[Row]:
    """Measure with a broker that accepts connections and never answers, from before the first
    process starts until the last comment.
    """
    with black_hole() as hole:
        silent = {
            "GREENROOM_REDIS_URL": f"redis://127.0.0.1:{hole}/0",
            "GREENROOM_DNS": "127.0.0.1:1",
        }
        with running(data, GREENROOM_RATE_LIMITS="off", **silent) as up:
            took = _travel(up.port, FIRST_IN_SILENCE)
    figure = f"{len(took)} comments, p50 {quantiles(took, n=2)[0]:.1f} s, the last {took[-1]:.1f} s"
    return [Row("published though the broker is black-holed", figure, 1.0, "all", is_met=True)]


def _travel(port: int, first: int) -> list[float]:
    """Return each comment's seconds from the form to the page, sorted. Raises AssertionError if one
    never appears.
    """
    journeys = _Journeys()
    watcher = threading.Thread(target=_watch, args=(port, journeys), daemon=True)
    watcher.start()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for number, at in _ticks(first):
            time.sleep(max(0.0, at - time.monotonic()))
            began = time.monotonic()
            connection.sendall(
                post("/v1/sites/demo/comments", lambda n: comment(n, _thread(n)))(number)
            )
            answer = orjson.loads(read_answer(connection).partition(b"\r\n\r\n")[2])
            journeys.begun[answer["id"]] = number, began
    deadline = time.monotonic() + PATIENCE_SECONDS
    while journeys.begun and time.monotonic() < deadline:
        time.sleep(0.05)
    journeys.over.set()
    watcher.join()
    assert not journeys.begun, (
        f"{len(journeys.begun)} of {RATE * SECONDS:.0f} were not published in time"
    )
    return sorted(journeys.took)


class _Journeys:
    """`begun` holds the number and second of sending, by id, of comments that are not on their page
    yet; `took` holds the times of the others.
    """

    def __init__(self) -> None:
        self.begun: dict[str, tuple[int, float]] = {}
        self.took: list[float] = []
        self.over = threading.Event()


def _thread(number: int) -> str:
    return f"/travel/{number // 20}"


def _ticks(first: int) -> Iterator[tuple[int, float]]:
    start = time.monotonic() + 0.2
    return ((first + nth, start + nth / RATE) for nth in range(int(RATE * SECONDS)))


def _watch(port: int, journeys: _Journeys) -> None:
    """Read the threads of those comments repeatedly, as readers would, and record when each first
    appears.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        while not journeys.over.is_set():
            for thread in {_thread(number) for number, _ in list(journeys.begun.values())}:
                connection.sendall(get(f"/v1/sites/demo/comments?thread={thread}")(0))
                page = orjson.loads(read_answer(connection).partition(b"\r\n\r\n")[2])
                at = time.monotonic()
                for shown in page["comments"]:
                    if shown["id"] in journeys.begun:
                        journeys.took.append(at - journeys.begun.pop(shown["id"])[1])
            time.sleep(0.004)
