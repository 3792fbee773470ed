"""PostgreSQL with stopped processes: readers notice nothing, posts are refused, and everything
recovers by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from statistics import median
from threading import Event
from time import monotonic, sleep

import psutil

from tests.deploy.asking import Answer, ask
from tests.fakes.postgres import PostgreSQL, postgresql
from tests.greenroom import running, until
from tests.processes import descendants

POSTERS, READERS = 12, 2
COMMENTS = "/v1/sites/demo/comments"
PAGE = f"{COMMENTS}?thread=/harbour"
_numbers = count(1)


@contextmanager
def frozen(server: PostgreSQL) -> Iterator[None]:
    assert server.process
    processes = [psutil.Process(server.process.pid), *descendants(server.process.pid)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def post(port: int) -> Answer:
    body = {"thread": "/harbour", "name": "Ann", "email": "ann@example.org"}
    return ask(
        port,
        "POST",
        COMMENTS,
        {**body, "body": f"The ferry of pier {next(_numbers)} was late again."},
    )


def asked_while_frozen(port: int, server: PostgreSQL) -> dict[str, list[tuple[int, float]]]:
    """Status and seconds of every answer during the freeze, by kind of request. The database stays
    frozen until each kind has enough answers.
    """
    calls: dict[str, Callable[[], Answer]] = {
        "live": lambda: ask(port, "GET", "/health/live"),
        "read": lambda: ask(port, "GET", PAGE),
        "ready": lambda: ask(port, "GET", "/health/ready"),
        "counts": lambda: ask(port, "GET", "/v1/sites/demo/counts?thread=/harbour"),
        "post": lambda: post(port),
    }
    answers: dict[str, list[tuple[int, float]]] = defaultdict(list)

    over = Event()

    def go_on(what: str) -> None:
        while not over.is_set():
            began = monotonic()
            status = calls[what]().status
            if not over.is_set():
                answers[what].append((status, monotonic() - began))
            sleep(0.05)

    def are_enough() -> bool:
        readers = [what for what in calls if what != "post"]
        return len(answers["post"]) > POSTERS and all(len(answers[what]) > 5 for what in readers)

    callers = [*calls, *["read"] * READERS, *["post"] * POSTERS]
    with ThreadPoolExecutor(len(callers)) as threads, frozen(server):
        for what in callers:
            threads.submit(go_on, what)
        try:
            until(are_enough)
        finally:
            over.set()
    return answers


def test_readers_are_served_posts_are_refused_and_everything_recovers_by_itself(
    tmp_path: Path,
) -> None:
    with (
        postgresql() as server,
        running(
            tmp_path / "var", GREENROOM_DATABASE_URL=server.url(), GREENROOM_RATE_LIMITS="off"
        ) as up,
    ):
        assert post(up.port).status == 202
        until(lambda: ask(up.port, "GET", PAGE).json["count"] == 1)
        answers = asked_while_frozen(up.port, server)
        waited = max(seconds for _, seconds in answers["post"])
        for what in ("live", "read", "ready", "counts"):
            assert {status for status, _ in answers[what]} == {200}, (what, answers[what])
            # The first posts wait for the database until their deadline. No other request waits for
            # it.
            assert median(seconds for _, seconds in answers[what]) < waited / 2, (what, answers)
        assert {status for status, _ in answers["post"]} == {503}
        shown = ask(up.port, "GET", PAGE).json["count"]
        until(lambda: post(up.port).status == 202)
        until(lambda: ask(up.port, "GET", PAGE).json["count"] > shown)
        until(lambda: ask(up.port, "GET", "/health/system").status == 200)
