"""From the form to the published page, at 50 comments a second."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from statistics import quantiles

import orjson

from bench.load import get, post, read_answer
from bench.reading import Row
from bench.texts import comment

RATE, SECONDS = 50, 8.0


def measure(port: int) -> list[Row]:
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(port, sent, seen, done), daemon=True)
    watcher.start()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for number, at in _ticks():
            time.sleep(max(0.0, at - time.monotonic()))
            began = time.monotonic()
            connection.sendall(
                post("/v1/sites/demo/comments", lambda n: comment(n, _thread(n)))(3_000_000_000 + number)
            )
            answer = orjson.loads(read_answer(connection).partition(b"\r\n\r\n")[2])
            sent[answer["id"]] = began
    deadline = time.monotonic() + 20
    while len(seen) < len(sent) and time.monotonic() < deadline:
        time.sleep(0.05)
    done.set()
    watcher.join()
    took = sorted(seen[id_] - sent[id_] for id_ in sent if id_ in seen)
    assert len(took) == len(sent), f"{len(sent) - len(took)} of {len(sent)} were not published in time"
    p50, p99 = (quantiles(took, n=100)[percent - 1] * 1000 for percent in (50, 99))
    return [
        Row("form to published at 50/s, p50", f"{p50:.0f} ms", p50 / 100, "< 100 ms", p50 < 100),
        Row("form to published at 50/s, p99", f"{p99:.0f} ms", p99 / 500, "< 500 ms", p99 < 500),
    ]


def _thread(number: int) -> str:
    return f"/travel/{number // 20}"


def _ticks() -> Iterator[tuple[int, float]]:
    start = time.monotonic() + 0.2
    return ((number, start + number / RATE) for number in range(int(RATE * SECONDS)))


def _watch(port: int, sent: dict[str, float], seen: dict[str, float], done: threading.Event) -> None:
    """Reads the newest threads over and over, as readers would, and notes when each comment first stood there."""
    first = 3_000_000_000
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        while not done.is_set():
            newest = first + max(0, len(sent) - 1)
            for thread in {_thread(newest), _thread(max(first, newest - 20)), _thread(max(first, newest - 40))}:
                connection.sendall(get(f"/v1/sites/demo/comments?thread={thread}")(0))
                page = orjson.loads(read_answer(connection).partition(b"\r\n\r\n")[2])
                at = time.monotonic()
                for shown in page["comments"]:
                    seen.setdefault(shown["id"], at)
            time.sleep(0.004)
