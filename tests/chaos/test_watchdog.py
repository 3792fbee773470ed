"""A worker that runs but receives nothing ends itself, and its sweep survives any part that is
down.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy.exc import OperationalError

from bench.chaos.proxy import Proxy
from models.records import Heartbeat
from models.settings import settings
from models.store.database import now, reading
from service.up.valkey import embedded
from tests.caller import Client, posted
from tests.greenroom import until
from worker import bell, sweep
from worker.bell import SCREEN, ring
from worker.watchdog import DEAF_SECONDS, Watchdog

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # this test is about the broker
# A worker with less patience.
WORKER = """
from worker import sweep, watchdog
from worker.working import work
watchdog.DEAF_SECONDS, sweep.RUNG_SECONDS = 3, 1
work("screen,publish")
"""


@pytest.fixture
def broker(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A Valkey behind a proxy, used by this process and by the processes it starts."""
    valkey = embedded(data)
    port = int(valkey.url.rpartition(":")[2].partition("/")[0])
    with subprocess.Popen(valkey.command) as process, Proxy(port) as proxy:
        url = valkey.url.replace(f":{port}/", f":{proxy.port}/")
        monkeypatch.setenv("GREENROOM_REDIS_URL", url)
        monkeypatch.setenv("GREENROOM_SWEEP_SECONDS", "0.5")
        settings.cache_clear()
        bell._bell.cache_clear()
        until(lambda: _answers(url))
        yield proxy
        bell._bell.cache_clear()
        process.terminate()


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False


@contextmanager
def _worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", WORKER], stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_whose_connection_died_without_a_word_ends_itself(
    client: Client, broker: Proxy, tmp_path: Path
) -> None:
    first = posted(client)
    log = tmp_path / "worker.log"
    with _worker(log) as worker:
        ring(SCREEN, [first])
        until(lambda: _status(client, first) != "pending")
        assert broker.strand() > 0
        # All comments are overdue in the same sweep, which rings for them over a dead connection
        # and then settles them itself. After that nothing is overdue, and only the waiting messages
        # show that the worker is deaf.
        comments = [
            posted(client, body=f"The ferry was late {number} times.") for number in range(3)
        ]
        for comment in comments:  # messages sent over the dead connections are lost first
            ring(SCREEN, [comment])
        until(lambda: worker.poll() is not None)
    assert "worker.deaf" in log.read_text()


def _status(client: Client, comment: str) -> str:
    from service.comments.receipts import receipt_of

    return str(client.get(f"/v1/receipts/{receipt_of(comment)}").json["status"])


def test_waiting_messages_make_a_worker_deaf_only_if_it_took_none_for_long(broker: Proxy) -> None:
    watchdog, at, later = Watchdog([SCREEN]), now(), timedelta(seconds=DEAF_SECONDS)
    assert not watchdog.is_deaf(at)
    assert not watchdog.is_deaf(at + later)  # no message waits
    assert ring(SCREEN, ["a comment"])
    assert not watchdog.is_deaf(at)
    assert watchdog.is_deaf(at + later)
    watchdog.heard()
    assert not watchdog.is_deaf(at + later)
    assert watchdog.is_deaf(at + 2 * later)


def test_a_worker_is_not_deaf_while_the_broker_is_silent(broker: Proxy) -> None:
    watchdog, at = Watchdog([SCREEN]), now()
    assert ring(SCREEN, ["a comment"])
    assert not watchdog.is_deaf(at)
    broker.hole()
    assert not watchdog.is_deaf(at + timedelta(seconds=DEAF_SECONDS))


def test_the_sweep_survives_a_database_that_is_down_at_its_start(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_SWEEP_SECONDS", "0.05")
    settings.cache_clear()
    beat, tries = sweep._beat, []

    def away(*arguments: str, **more: bool) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("BEGIN", None, Exception("connection refused"))
        beat(*arguments, **more)

    monkeypatch.setattr(sweep, "_beat", away)
    sweeper = sweep.Sweeper("worker-screen@here", Watchdog([]))
    sweeper.start()
    until(_has_swept)
    sweeper.stop()
    sweeper.join()


def _has_swept() -> bool:
    with reading() as session:
        beat = session.get(Heartbeat, "worker-screen@here")
        return beat is not None and beat.swept_at is not None
