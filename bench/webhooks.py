"""`python -m bench.webhooks [idle] [rate] [dead] [kills]`: the speed requirements of webhooks, with
a real receiver.

There are a broker, one worker and the receiver; this program settles decisions as the web process
does.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select, text
from standardwebhooks import Webhook

from bench.accepting import is_listening
from bench.reading import Row
from bench.receiving import Received, receiving
from bench.receiving import received as all_received
from bench.screening import pending
from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.records import Comment, Delivery, Endpoint, Event, Site, Thread
from models.settings import settings
from models.settling.actor import Actor
from models.settling.changes import Change
from models.settling.settling import settle
from models.store.database import Base, begin, engine, now, reading
from models.store.migrate import upgrade
from models.webhooks.endpoints import first_secret, sealed_of
from models.webhooks.owed import TEST, Happened, delivery_of
from service.sites.registering import add_site
from service.up.valkey import embedded
from tests.greenroom import GREENROOM, free_port, until
from worker.bell import DELIVER, PUBLISH, SCREEN, ring

IDLE, RATE_COUNT = 150, 3000
DEAD_RATE, DEAD_SECONDS = 200, 15.0
KILL_RATE, KILL_SECONDS, KILL_EVERY = 50, 60.0, 5.0
FASTER = "0,1,2,2,2,2,2,2,2,2,2,2,2,2,2,2"  # the schedule, for endpoints that misbehave on purpose
console = Console(highlight=False, width=140)


def main(which: list[str]) -> int:
    rows = measured(which)
    table = Table("work", "measured", "ratio", "bar", "", title="Webhooks, measured")
    for row in rows:
        table.add_row(
            row.work,
            row.figure,
            f"{row.ratio:.2f}",
            row.bar,
            "met" if row.is_met else "[red]not met[/red]",
        )
    console.print(table)
    return 0 if all(row.is_met for row in rows) else 1


def measured(which: list[str]) -> list[Row]:
    """Return the measurements of that name, or all."""
    rows: list[Row] = []
    for name, measure in {"idle": idle, "rate": rate, "dead": dead, "kills": kills}.items():
        if not which or name in which:
            Console(stderr=True).print(f"[dim]… webhooks: {name}[/dim]")
            with tempfile.TemporaryDirectory(prefix="greenroom-webhooks-") as folder:
                rows += _alone(measure, Path(folder))
    return rows


def _alone(measure: Callable[[Path], list[Row]], folder: Path) -> list[Row]:
    """Run in a separate process, because each process has its own engines and settings."""
    import multiprocessing  # noqa: PLC0415

    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    process = context.Process(target=lambda: answers.put(_in(measure, folder)))
    process.start()
    process.join()
    rows: list[Row] = answers.get(timeout=5)
    return rows


def _in(measure: Callable[[Path], list[Row]], folder: Path) -> list[Row]:
    os.environ.update(
        GREENROOM_DATA=str(folder / "var"),
        GREENROOM_DNS="127.0.0.1:1",
        GREENROOM_WEBHOOK_ALLOW_PRIVATE="true",
        GREENROOM_WEBHOOK_SCHEDULE=FASTER,
        GREENROOM_LOG_LEVEL="warning",
    )
    settings.cache_clear()
    upgrade()
    add_site("demo", ["https://paper.example"])
    broker = embedded(folder / "var")
    os.environ["GREENROOM_REDIS_URL"] = broker.url
    settings.cache_clear()
    with subprocess.Popen(broker.command, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: is_listening(int(broker.url.rpartition(":")[2].partition("/")[0])), 10)
            return measure(folder)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def _worker() -> Iterator[Callable[[], None]]:
    """Run a worker that is restarted when it dies; yield a function that kills it."""
    ending, running = threading.Event(), [_begin()]

    def mind() -> None:
        while not ending.wait(0.1):
            if running[0].poll() is not None:
                running[0] = _begin()

    def kill() -> None:
        running[0].kill()

    minder = threading.Thread(target=mind)
    minder.start()
    _until_it_hears()
    try:
        yield kill
    finally:
        ending.set()
        minder.join()
        running[0].terminate()
        running[0].wait(20)


def _until_it_hears() -> None:
    """Wait until the worker has loaded its model: send tests until one is delivered without waiting
    for the sweep.
    """
    deadline, took = time.monotonic() + 120, 9.0
    while took > 0.5:
        assert time.monotonic() < deadline
        began = time.monotonic()
        with begin() as session:
            endpoint, site = session.execute(
                select(Endpoint.id, Endpoint.site_id)
                .where(Endpoint.is_enabled, ~Endpoint.url.endswith("/dead"))
                .limit(1)
            ).one()
            row = delivery_of(Happened(new_id(), site, TEST), endpoint, now())
            row["payload"] = {"type": TEST, "timestamp": "", "data": None}
            session.connection().execute(insert(Base.metadata.tables["deliveries"]), [row])
        ring(DELIVER, [endpoint])
        until(lambda: not _owed(), 60)
        took = time.monotonic() - began
        time.sleep(0.2)


def _begin() -> subprocess.Popen[bytes]:
    return subprocess.Popen([*GREENROOM, "worker"], stderr=subprocess.DEVNULL)


def _endpoint(port: int, path: str, *, events: tuple[str, ...], prefix: str = "") -> str:
    secret = first_secret(signs_ed25519=False)
    with begin() as session:
        site = session.execute(select(Site).with_for_update()).scalar_one()
        row = Endpoint(
            site_id=site.id,
            url=f"http://127.0.0.1:{port}{path}",
            events=list(events),
            thread_prefix=prefix,
            sealed=sealed_of(secret, {}),
        )
        session.add(row)
        site.endpoints += 1
    return secret.shared


def _comments(count: int, threads: int) -> list[str]:
    """Insert that many pending comments, spread over threads `/0/`, `/1/` …"""
    ids = [new_id() for _ in range(count)]
    with begin() as session:
        site = session.execute(select(Site.id)).scalar_one()
        kept = [Thread(site_id=site, key=f"/{number}/") for number in range(threads)]
        session.add_all(kept)
        session.flush()
        shared = {
            "site_id": site,
            "name": "Ann",
            "body": "The ferry was late again.",
            "screen_due": None,
            "at": now(),
        }
        rows = [
            {"id": id_, "top_id": id_, "thread_id": kept[number % threads].id, **shared}
            for number, id_ in enumerate(ids)
        ]
        # Not as an ORM insert, which takes None for "nothing given": they would all be screened
        # while we measure.
        session.connection().execute(insert(Base.metadata.tables["comments"]), rows)
    return ids


def _decide(changes: list[Change]) -> float:
    """Settle and ring, as the web process does. Return the time of the commit."""
    with begin() as session:
        settled = settle(session, changes)
    at = time.time()
    if threads := {each.thread_id for each in settled if each and each.touches_page}:
        ring(PUBLISH, sorted(threads))
    if owed := {endpoint for each in settled if each for endpoint in each.owed}:
        ring(DELIVER, sorted(owed))
    return at


def _percentiles(took: list[float]) -> tuple[float, float]:
    cut = quantiles(sorted(took), n=100)
    return cut[49] * 1000, cut[98] * 1000


def idle(folder: Path) -> list[Row]:
    """Measure the time from the commit of an approval to the receipt of its event, including
    publishing the page.
    """
    port = free_port()
    _endpoint(port, "/hook", events=("comment.approved",))
    ids, committed = _comments(IDLE, 10), {}
    with receiving(port, folder / "received") as log, _worker():
        for id_ in ids:
            committed[id_] = _decide([Change(id_, Verdict.APPROVE, by=Actor.key("bench"))])
            time.sleep(0.1)
        until(lambda: len(received(log)) >= IDLE, 60)
        p50, p99 = _percentiles([got.at - committed[_comment(got)] for got in received(log)])
    return [
        Row("approved → received, idle, p50", f"{p50:.0f} ms", p50 / 50, "< 50 ms", p50 < 50),
        Row("approved → received, idle, p99", f"{p99:.0f} ms", p99 / 250, "< 250 ms", p99 < 250),
    ]


def received(log: Path) -> list[Received]:
    """Return the messages without the tests."""
    return [got for got in all_received(log) if '"webhook.test"' not in got.body]


def _comment(got: Received) -> str:
    import orjson  # noqa: PLC0415

    return str(orjson.loads(got.body)["data"]["comment"]["id"])


def rate(folder: Path) -> list[Row]:
    """Measure a backlog of one endpoint, sent by one worker."""
    port = free_port()
    _endpoint(port, "/hook", events=("comment.flagged",))
    ids = _comments(RATE_COUNT, 10)
    for start in range(0, len(ids), 500):
        with begin() as session:
            settle(
                session,
                [
                    Change(id_, Verdict.REJECT, by=Actor.key("bench"))
                    for id_ in ids[start : start + 500]
                ],
            )
    with receiving(port, folder / "received") as log, _worker():
        with begin() as session:
            endpoint, at = session.execute(select(Endpoint.id)).scalar_one(), now()
            session.execute(text("DELETE FROM attempts"))
            session.execute(text("DELETE FROM deliveries"))
            events = session.scalars(select(Event)).all()
            owed = [
                delivery_of(
                    Happened(
                        event.id,
                        event.site_id,
                        event.type,
                        event.comment_id,
                        event.sequence,
                        event.thread_id,
                        event.revision,
                    ),
                    endpoint,
                    at,
                )
                for event in events
            ]
            session.connection().execute(insert(Base.metadata.tables["deliveries"]), owed)
        ring(DELIVER, [endpoint])
        until(lambda: len(received(log)) >= RATE_COUNT, 120)
        times = sorted(got.at for got in received(log))
    speed = (len(times) - 1) / (times[-1] - times[0])
    return [
        Row(
            "deliveries to one endpoint, one worker",
            f"{speed:.0f}/s",
            speed / 300,
            "≥ 300/s",
            speed >= 300,
        )
    ]


def dead(folder: Path) -> list[Row]:
    """Send 200 events a second to ten endpoints, each with a tenth of the threads; then again with
    one dead endpoint.

    In the meantime, the same worker screens 20 comments a second.
    """
    alive, beside = (
        _dead(folder / "alive", with_dead=False),
        _dead(folder / "beside", with_dead=True),
    )
    return [
        Row(work, f"{before:.0f} → {after:.0f} ms", after / before, "≤ 2 ×", after <= 2 * before)
        for work, before, after in zip(
            ("p99 of nine endpoints, the tenth dead", "p99 of screening beside it"),
            alive,
            beside,
            strict=True,
        )
    ]


def _dead(folder: Path, *, with_dead: bool) -> tuple[float, float]:
    """Return the p99 of the other nine endpoints and of screening, in milliseconds."""
    folder.mkdir()
    port = free_port()
    with begin() as session:
        session.execute(Endpoint.__table__.update().values(is_enabled=False))
    for number in range(10):
        path = "/dead" if with_dead and number == 0 else f"/{number}"
        _endpoint(port, path, events=("comment.rejected",), prefix=f"/{number}/")
    with begin() as session:
        session.execute(Thread.__table__.update().values(key=Thread.key + "old"))
    ids, screened = _comments(int(DEAD_RATE * DEAD_SECONDS), 10), []
    with receiving(port, folder / "received") as log, _worker():
        began = time.monotonic()
        for start in range(0, len(ids), 10):
            time.sleep(max(0.0, began + start / DEAD_RATE - time.monotonic()))
            _decide(
                [
                    Change(id_, Verdict.REJECT, by=Actor.key("bench"))
                    for id_ in ids[start : start + 10]
                ]
            )
            screened.append(_accept(start))
        wanted = int(len(ids) * 0.9)
        until(lambda: sum(got.path not in {"/dead", "/0"} for got in received(log)) >= wanted, 60)
        took = [got.at - _event_at(got) for got in received(log) if got.path not in {"/dead", "/0"}]
        until(lambda: all(_screening(screened)), 60)
    return _percentiles(took)[1], _percentiles([seconds or 0 for seconds in _screening(screened)])[
        1
    ]


def _accept(number: int) -> str:
    """Insert a comment that waits to be screened, on a thread that no endpoint receives events
    of.
    """
    with begin() as session:
        site = session.execute(select(Site.id)).scalar_one()
        thread = session.execute(select(Thread.id).limit(1)).scalar_one()
        row = pending(site, thread, number, now())
        session.connection().execute(insert(Base.metadata.tables["comments"]), row)
    ring(SCREEN, [str(row["id"])])
    return str(row["id"])


def _screening(ids: list[str]) -> list[float | None]:
    """Return the seconds from each comment's post to its first verdict; None if it still waits."""
    with reading() as session:
        rows = session.execute(
            select(Comment.at, Comment.settled_at).where(Comment.id.in_(ids))
        ).all()
    return [(settled - at).total_seconds() if settled else None for at, settled in rows]


def _event_at(got: Received) -> float:
    import orjson  # noqa: PLC0415

    return datetime.fromisoformat(orjson.loads(got.body)["timestamp"]).timestamp()


def kills(folder: Path) -> list[Row]:
    """Send 50 events a second for a minute to an endpoint that misbehaves, with a worker that is
    killed every five seconds.
    """
    port, chance = free_port(), random.Random(1)
    secret = _endpoint(
        port, "/flaky", events=("comment.approved", "comment.flagged", "comment.rejected")
    )
    ids = _comments(400, 10)
    with receiving(port, folder / "received", look=True) as log, _worker() as kill:
        began, killed, done = time.monotonic(), 0, 0
        while (passed := time.monotonic() - began) < KILL_SECONDS:
            if passed > (killed + 1) * KILL_EVERY:
                kill()
                killed += 1
            if done > passed * KILL_RATE:
                time.sleep(0.005)
                continue
            changes = [
                Change(chance.choice(ids), chance.choice(list(Verdict)), by=Actor.key("bench"))
                for _ in range(5)
            ]
            _decide(changes)
            done += 5 * 2 / 3  # a third of the decisions change nothing
        until(lambda: _owed() == 0, 120)
        found = received(log)
    return _truths(found, secret, killed)


def _owed() -> int:
    with reading() as session:
        owed = select(Delivery.id).where(Delivery.state.in_(("owed", "waiting")))
        return len(session.execute(owed).all())


def _truths(found: list[Received], secret: str, killed: int) -> list[Row]:
    with reading() as session:
        events = {row.id: row for row in session.execute(select(Event.id, Event.revision)).all()}
        states = Counter(session.execute(select(Delivery.state)).scalars())
    taken = {got.headers["webhook-id"] for got in found if got.was_taken}
    missed = events.keys() - taken
    forged = [got for got in found if not _verifies(got, secret)]
    unknown = [got for got in found if got.headers["webhook-id"] not in events]
    early = [
        got
        for got in found
        if (event := events.get(got.headers["webhook-id"]))
        and event.revision
        and got.revision < event.revision
    ]
    bodies = defaultdict(set)
    for got in found:
        bodies[got.headers["webhook-id"]].add(got.body)
    changed = [id_ for id_, told in bodies.items() if len(told) > 1]
    said = f"{len(events)} events, {len(found)} messages, {killed} kills, {dict(states)}"
    rows = [
        ("every event was taken at least once", missed),
        ("every signature verifies", forged),
        ("none for a state that was not committed", unknown),
        ("no page older than its event", early),
        ("the same bytes for the same id", changed),
    ]
    assert engine()
    return [
        Row(
            words,
            said if number == 0 else f"{len(broken)} broken",
            float(len(broken)),
            "0 broken",
            not broken,
        )
        for number, (words, broken) in enumerate(rows)
    ]


def _verifies(got: Received, secret: str) -> bool:
    try:
        Webhook(secret).verify(got.body, got.headers)
    except Exception:  # whatever it objects to
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
