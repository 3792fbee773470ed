"""External brokers: Redis with users and TLS, a Redis that may evict, and RabbitMQ."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import kombu
import kombu.pools
import pytest
from amqp.exceptions import PreconditionFailed

from models.records import Comment
from models.settings import settings
from models.store.database import reading
from tests.caller import Client, posted
from tests.fakes.dns_server import DnsServer
from tests.fakes.rabbitmq import is_installed, rabbitmq
from tests.fakes.tls_front import tls_front
from tests.fakes.valkey import valkey
from tests.greenroom import GREENROOM, PATIENCE, free_port, running, until
from worker import bell, broker

PASSWORD = "a/b:c@d?e#f%20 g"
USER = ["--user", "green", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-config"]
ZONE = {"test": {"NS": ["ns.test."]}, "paper.test": {"MX": ["10 mail.paper.test."]}}


@pytest.fixture
def set_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    def change(url: str) -> None:
        monkeypatch.setenv("GREENROOM_REDIS_URL", url)
        settings.cache_clear()
        bell._bell.cache_clear()
        kombu.pools.reset()  # it would identify a connection only by its host and user

    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    yield change
    kombu.pools.reset()
    bell._bell.cache_clear()
    settings.cache_clear()


Set = Callable[[str], None]


def policy() -> str | None:
    with bell._bell().connection_for_write() as connection:
        return broker.eviction_policy(connection)


def test_a_user_with_any_characters_in_the_password_is_accepted_and_nobody_else(
    set_broker: Set,
) -> None:
    with valkey(*USER) as port:
        set_broker(f"redis://green:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/1")
        assert bell.trouble() is None
        assert bell.ring(bell.SCREEN, ["id"])
        assert bell.messages_waiting([bell.SCREEN]) == 1
        set_broker(f"redis://green:wrong@127.0.0.1:{port}/1")
        assert bell.trouble() == "the broker rejects the user or the password"
        assert not bell.ring(bell.SCREEN, ["id"])


def test_tls_is_spoken_and_the_certificate_checked_unless_the_url_says_not_to(
    set_broker: Set, tmp_path: Path
) -> None:
    with valkey() as port, tls_front(tmp_path, port) as (door, authority):
        set_broker(f"rediss://127.0.0.1:{door}/0?ssl_ca_certs={authority}")
        assert bell.ring(bell.SCREEN, ["id"])
        assert bell.messages_waiting([bell.SCREEN]) == 1
        set_broker(f"rediss://127.0.0.1:{door}/0")
        assert not bell.ring(bell.SCREEN, ["id"])
        set_broker(f"rediss://127.0.0.1:{door}/0?ssl_cert_reqs=none")
        assert bell.ring(bell.SCREEN, ["id"])
        assert bell.messages_waiting([bell.SCREEN]) == 2
        set_broker(f"redis://127.0.0.1:{door}/0")
        assert not bell.ring(bell.SCREEN, ["id"])


def test_the_eviction_policy_is_read_and_a_missing_answer_is_no_error(set_broker: Set) -> None:
    with valkey("--maxmemory-policy", "allkeys-lru", *USER) as port:
        set_broker(f"redis://127.0.0.1:{port}/0")
        assert policy() == "allkeys-lru"
        set_broker(f"redis://green:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/0")
        assert bell.trouble() is None
        assert policy() is None
    assert policy() is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_warns_at_its_start_if_redis_may_evict_and_reports_its_end(
    data: Path,
) -> None:
    with valkey("--maxmemory-policy", "volatile-ttl") as port, (data / "log").open("wb") as log:
        environment = {**os.environ, "GREENROOM_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        worker = subprocess.Popen(
            [*GREENROOM, "worker"], env=environment, stderr=log, stdout=subprocess.DEVNULL
        )
        until(lambda: "broker.may_evict" in (data / "log").read_text())
    try:
        until(lambda: "nothing is listening" in (data / "log").read_text())
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    warned, *gone = [line for line in logged(data) if line["level"] != "info"]
    assert warned["reason"] == "set maxmemory-policy to noeviction: it is volatile-ttl"
    assert {line["event"] for line in gone} == {"broker.away"}


def test_a_worker_without_database_and_broker_reports_both_and_continues(
    tmp_path: Path,
) -> None:
    keys = subprocess.run(
        [*GREENROOM, "secrets", "generate"], capture_output=True, text=True, check=True
    ).stdout
    environment = os.environ | {
        "GREENROOM_DATA": str(tmp_path),
        "GREENROOM_SECRETS": keys,
        "GREENROOM_DATABASE_URL": f"postgres://green:secret@127.0.0.1:{free_port()}/room",
        "GREENROOM_REDIS_URL": f"redis://:secret@127.0.0.1:{free_port()}/0",
    }
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [*GREENROOM, "worker"], env=environment, stderr=log, stdout=subprocess.DEVNULL
        )
    try:
        until(
            lambda: {"sweep.failed", "broker.away"} <= {line["event"] for line in logged(tmp_path)}
        )
        assert worker.poll() is None
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    assert {line["event"]: line["reason"] for line in logged(tmp_path)} == {
        "check.failed": "the database did not respond",
        "sweep.failed": "nothing is listening at the database's address",
        "broker.away": "nothing is listening at the broker's address",
    }
    assert "secret" not in (tmp_path / "log").read_text()


def test_a_node_of_a_redis_cluster_is_refused_with_a_sentence_and_a_status(data: Path) -> None:
    with valkey("--cluster-enabled", "yes", "--dir", str(data)) as port:
        environment = {**os.environ, "GREENROOM_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        done = subprocess.run(
            [*GREENROOM, "worker"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode not in {0, None}
    assert "Redis Cluster is not supported" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["sentinel://127.0.0.1:26379/0", "redis+cluster://127.0.0.1:6379"])
@pytest.mark.parametrize("command", ["worker", "serve", "up"])
def test_an_unsupported_kind_of_broker_is_refused_at_the_start(
    tmp_path: Path, url: str, command: str
) -> None:
    environment = {**os.environ, "GREENROOM_DATA": str(tmp_path), "GREENROOM_REDIS_URL": url}
    done = subprocess.run(
        [*GREENROOM, command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode not in {0, None}
    assert "Redis Sentinel and Redis Cluster are not supported" in done.stderr
    assert "Traceback" not in done.stderr


BROKEN = """
from celery import bootsteps
from worker.app import app
from worker.working import work
class Broken(bootsteps.StartStopStep):
    def start(self, parent): raise ValueError("not today")
app.steps["worker"].add(Broken)
work("publish")
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_cannot_continue_ends_with_a_status(data: Path) -> None:
    with valkey() as port:
        environment = {**os.environ, "GREENROOM_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        done = subprocess.run(
            [sys.executable, "-c", BROKEN],
            env=environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode not in {0, None}


needs_rabbitmq = pytest.mark.skipif(
    not is_installed(), reason="RabbitMQ is not installed: on Debian, the package rabbitmq-server"
)


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a RabbitMQ, without a virtual host."""
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


@needs_rabbitmq
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_consumes_where_quorum_queues_are_the_default(
    client: Client, data: Path, rabbit: str, set_broker: Set
) -> None:
    """Celery cannot see that default. No sweep helps here, so the worker got the message."""
    url = f"{rabbit}/quorum"
    set_broker(url)
    environment = {**os.environ, "GREENROOM_SWEEP_SECONDS": "600"}
    with (data / "log").open("wb") as log:
        worker = subprocess.Popen([*GREENROOM, "worker"], env=environment, stderr=log, stdout=log)
    try:
        until(lambda: consumers(url, "screen"))
        comment = posted(client)
        until(lambda: is_settled(comment))
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    with kombu.Connection(url) as connection, pytest.raises(PreconditionFailed, match="'quorum'"):
        connection.channel().queue_declare("screen", arguments={"x-queue-type": "classic"})


def consumers(url: str, queue: str) -> int:
    """Return how many consumers a queue has; none if it does not exist."""
    with kombu.Connection(url) as connection:
        try:
            return int(connection.channel().queue_declare(queue, passive=True).consumer_count)
        except connection.channel_errors:
            return 0


def is_settled(comment: str) -> bool:
    with reading() as session:
        return session.get_one(Comment, comment).status != "pending"


def logged(folder: Path) -> list[dict[str, str]]:
    """Return every complete line; each of them must be JSON, from the first on."""
    return [json.loads(line) for line in (folder / "log").read_text().split("\n")[:-1]]


@needs_rabbitmq
def test_rabbitmq_does_as_well(tmp_path: Path, rabbit: str) -> None:
    """No sweep helps here, so a published comment proves that its message arrived.

    There are several comments, because sending waits only a second for the broker, and a loaded
    machine may lose one message.
    """
    with (
        DnsServer(ZONE) as dns,
        running(
            tmp_path / "var",
            GREENROOM_REDIS_URL=f"{rabbit}//",
            GREENROOM_SWEEP_SECONDS="600",
            **dns.environment,
        ) as up,
    ):
        until(lambda: asked(f"{up.url}/health/system")["status"] == "ok")
        for name, body in {
            "Ann": "The ferry was late.",
            "Bob": "I read it twice.",
            "Cleo": "Who drew the map?",
        }.items():
            comment = {
                "thread": "/demo",
                "name": name,
                "email": f"{name.lower()}@paper.test",
                "body": body,
            }
            posting = Request(
                f"{up.url}/v1/sites/demo/comments",
                json.dumps(comment).encode(),
                {"Content-Type": "application/json"},
            )
            with urlopen(posting, timeout=PATIENCE) as answer:
                assert answer.status == 202
        until(lambda: asked(f"{up.url}/v1/sites/demo/comments?thread=/demo")["count"])
        until(lambda: asked(f"{up.url}/health/system")["status"] == "ok")


def asked(url: str) -> dict[str, object]:
    """Return the answer at an address; a health check's 503 has a body like its 200."""
    try:
        with urlopen(url, timeout=PATIENCE) as answer:
            return dict(json.load(answer))
    except HTTPError as error:
        with error:
            return dict(json.load(error))
