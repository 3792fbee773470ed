"""Settings for the broker: certificates are verified, and no call waits for long."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kombu import Connection

from models.settings import settings
from worker.bell import DELIVER, LEARN, MAIL, PUBLISH, SCREEN, TEACH
from worker.broker import (
    RING_OPTIONS,
    SOCKET_SECONDS,
    WORK_OPTIONS,
    common,
    eviction_policy,
    is_cluster,
)

CHECKED_BY_REDIS = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
CHECKED_BY_AMQP = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}


@pytest.fixture
def set_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def change(url: str) -> None:
        monkeypatch.setenv("GREENROOM_REDIS_URL", url)
        settings.cache_clear()

    yield change
    settings.cache_clear()


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("redis://broker.example:6379/0", None),
        ("rediss://broker.example:6379/0", CHECKED_BY_REDIS),
        ("rediss://broker.example/0?health_check_interval=5", CHECKED_BY_REDIS),
        ("rediss://broker.example/0?ssl_cert_reqs=none", None),  # its owner chose otherwise
        ("rediss://ssl_user:pass@broker.example/0", CHECKED_BY_REDIS),  # no parameter, a user
        ("amqp://broker.example//", None),
        ("amqps://broker.example//", CHECKED_BY_AMQP),
    ],
)
def test_a_certificate_is_checked_unless_the_url_says_otherwise(
    set_broker: Callable[[str], None], url: str, tls: dict[str, Any] | None
) -> None:
    set_broker(url)
    assert common()["broker_url"] == url
    assert common().get("broker_use_ssl") == tls


def test_without_a_broker_celery_gets_one_in_memory(set_broker: Callable[[str], None]) -> None:
    """Celery's own default would be a RabbitMQ on this machine."""
    set_broker("")
    assert common()["broker_url"] == "memory://"


def test_every_task_has_a_queue_of_its_name_but_picks_are_drawn_where_sites_learn() -> None:
    """An installation that names its queues need not name another one."""
    routes = common()["task_routes"]
    assert {task: route["queue"] for task, route in routes.items()} == {
        **{task: task for task in (SCREEN, PUBLISH, DELIVER, LEARN)},
        TEACH: LEARN,
        MAIL: DELIVER,
    }


def test_nothing_but_json_is_accepted() -> None:
    assert common()["accept_content"] == ["json"]
    assert common()["task_serializer"] == "json"


@pytest.mark.parametrize(
    "option", ["socket_timeout", "socket_connect_timeout", "connect_timeout", "read_timeout"]
)
def test_a_ring_waits_no_longer_than_a_second_for_either_kind_of_broker(option: str) -> None:
    assert RING_OPTIONS[option] == SOCKET_SECONDS <= 1
    assert RING_OPTIONS["max_retries"] == 0


def test_a_worker_waits_longer_for_an_acknowledgement_but_not_forever() -> None:
    assert SOCKET_SECONDS < WORK_OPTIONS["socket_timeout"] <= 10


class Server:
    """A Redis client that gives a chosen answer, or fails."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def config_get(self, name: str) -> Any:
        return self._say()

    def info(self, section: str) -> Any:
        return self._say()

    def _say(self) -> object:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def connected(answer: object) -> Connection:
    channel = SimpleNamespace(client=Server(answer))
    return cast(Connection, SimpleNamespace(default_channel=channel))


@pytest.mark.parametrize(
    ("answer", "policy"),
    [
        ({"maxmemory-policy": "noeviction"}, "noeviction"),
        ({"maxmemory-policy": "allkeys-lru"}, "allkeys-lru"),
        ({}, None),  # a hosted Redis that has no such setting
        (PermissionError("NOPERM"), None),
    ],
)
def test_a_redis_that_does_not_tell_its_policy_has_none(answer: object, policy: str | None) -> None:
    assert eviction_policy(connected(answer)) == policy


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        ({"cluster_enabled": 1}, True),
        ({"cluster_enabled": 0}, False),
        ({}, False),
        (ConnectionError("away"), False),
    ],
)
def test_only_a_server_that_says_so_is_a_cluster(answer: object, is_one: bool) -> None:
    assert is_cluster(connected(answer)) is is_one


def test_rabbitmq_has_neither_policy_nor_cluster() -> None:
    rabbit = cast(Connection, SimpleNamespace(default_channel=SimpleNamespace()))
    assert eviction_policy(rabbit) is None
    assert not is_cluster(rabbit)
