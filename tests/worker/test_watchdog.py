"""A worker is deaf when messages wait for long and it takes none of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from worker import watchdog
from worker.watchdog import DEAF_SECONDS, Watchdog

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONG = timedelta(seconds=DEAF_SECONDS)


class Queues:
    """The broker's answer, as the test sets it. `asked` are the queues that were queried."""

    def __init__(self) -> None:
        self.waiting = 1
        self.asked: list[list[str]] = []

    def count(self, queues: Iterable[str]) -> int:
        self.asked.append(list(queues))
        return self.waiting


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Queues:
    """tests/chaos/test_watchdog.py uses a real broker."""
    queues = Queues()
    monkeypatch.setattr(watchdog, "messages_waiting", queues.count)
    return queues


@pytest.mark.parametrize(
    ("later", "is_deaf"),
    [(timedelta(), False), (LONG - SECOND, False), (LONG, True), (LONG + SECOND, True)],
)
def test_a_worker_is_deaf_once_messages_have_waited_for_long(
    queues: Queues, later: timedelta, is_deaf: bool
) -> None:
    dog = Watchdog(["screen"])
    assert not dog.is_deaf(AT)
    assert dog.is_deaf(AT + later) is is_deaf


def test_only_its_own_queues_are_looked_at(queues: Queues) -> None:
    Watchdog(["screen", "publish"]).is_deaf(AT)
    assert queues.asked == [["screen", "publish"]]


def test_a_received_message_restarts_the_count(queues: Queues) -> None:
    dog = Watchdog(["screen"])
    dog.is_deaf(AT)
    dog.heard(sender="celery", request=object())  # as Celery's signal calls it
    assert not dog.is_deaf(AT + LONG)
    assert not dog.is_deaf(AT + 2 * LONG - SECOND)
    assert dog.is_deaf(AT + 2 * LONG)


def test_queues_that_were_empty_once_restart_the_count(queues: Queues) -> None:
    dog = Watchdog(["screen"])
    dog.is_deaf(AT)
    queues.waiting = 0
    assert not dog.is_deaf(AT + LONG)
    queues.waiting = 1
    assert not dog.is_deaf(AT + LONG + SECOND)


def test_a_worker_whose_queues_are_empty_is_never_deaf(queues: Queues) -> None:
    queues.waiting = 0
    dog = Watchdog(["screen"])
    assert not any(dog.is_deaf(AT + n * LONG) for n in range(5))


def test_a_deaf_worker_stays_deaf_until_it_takes_a_message(queues: Queues) -> None:
    dog = Watchdog(["screen"])
    assert [dog.is_deaf(AT + n * LONG) for n in range(4)] == [False, True, True, True]
