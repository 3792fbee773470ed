"""The bell: messages of limited size, and lost messages without an error."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.settings import settings
from tests.greenroom import PATIENCE
from tests.ports import free_port
from worker import bell
from worker.bell import MOST_A_MESSAGE, PUBLISH, QUIET_SECONDS, SCREEN

RINGERS = """
import sys, threading, time
from worker import bell

first = threading.Thread(target=bell._bell)
first.start()
while "celery" not in sys.modules:
    time.sleep(0)
bell._bell()
"""


def test_ringing_while_another_thread_makes_the_bell_waits_for_it(tmp_path: Path) -> None:
    # No compiled files are used, so that importing Celery takes long enough to interrupt it.
    slowly = [sys.executable, "-X", f"pycache_prefix={tmp_path}", "-c", RINGERS]
    ran = subprocess.run(slowly, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Return how many messages were lost in this test, by reason."""
    lost = dict.fromkeys(bell.dropped, 0)
    monkeypatch.setattr(bell, "dropped", lost)
    return lost


@pytest.fixture
def set_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def change(url: str) -> None:
        monkeypatch.setenv("GREENROOM_REDIS_URL", url)
        settings.cache_clear()
        bell._bell.cache_clear()

    yield change
    settings.cache_clear()
    bell._bell.cache_clear()


class Recorder:
    """A Celery whose messages this test reads. After `most` messages, the broker is down."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.sent: list[tuple[str, list[Any]]] = []

    def send_task(self, task: str, arguments: list[list[Any]]) -> None:
        if len(self.sent) == self.most:
            raise ConnectionError
        self.sent.append((task, arguments[0]))


@pytest.fixture
def recorder(
    set_broker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Recorder]:
    """test_brokers.py uses real brokers."""

    def make(most: int = 1000) -> Recorder:
        recorder = Recorder(most)
        set_broker("redis://127.0.0.1:1/0")
        monkeypatch.setattr(bell._bell, "make", lambda: recorder)
        return recorder

    return make


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (MOST_A_MESSAGE, [MOST_A_MESSAGE]),
        (MOST_A_MESSAGE + 1, [MOST_A_MESSAGE, 1]),
        (2 * MOST_A_MESSAGE + 5, [MOST_A_MESSAGE, MOST_A_MESSAGE, 5]),
    ],
)
def test_ids_are_sent_in_messages_of_limited_size(
    recorder: Callable[[], Recorder], count: int, sizes: list[int]
) -> None:
    broker = recorder()
    assert bell.ring(SCREEN, range(count))
    assert [len(ids) for _, ids in broker.sent] == sizes
    assert [id_ for _, ids in broker.sent for id_ in ids] == list(range(count))
    assert {task for task, _ in broker.sent} <= {SCREEN}


def test_without_a_broker_a_ring_is_lost_and_counted(
    set_broker: Callable[[str], None], lost: dict[str, int]
) -> None:
    set_broker("")
    assert not bell.ring(SCREEN, ["a", "b", "c"])
    assert lost == {"no broker": 3, "not taken": 0, "broker silent": 0, "too many waiting": 0}


def test_only_messages_that_the_broker_did_not_take_count_as_lost(
    recorder: Callable[[int], Recorder], lost: dict[str, int]
) -> None:
    recorder(1)
    assert not bell.ring(PUBLISH, range(MOST_A_MESSAGE + 7))
    assert lost["not taken"] == 7


def test_a_broker_that_is_down_raises_nothing(
    set_broker: Callable[[str], None], lost: dict[str, int]
) -> None:
    set_broker(f"redis://127.0.0.1:{free_port()}/0")
    assert not bell.ring(SCREEN, ["a"])
    assert lost["not taken"] == 1
    assert bell.messages_waiting([SCREEN]) == 0
    assert "127.0.0.1" not in str(bell.trouble())
    assert bell.trouble()


def test_without_a_broker_nothing_waits_and_the_setting_is_named(
    set_broker: Callable[[str], None],
) -> None:
    set_broker("")
    assert bell.messages_waiting([SCREEN, PUBLISH]) == 0
    assert bell.trouble() == "GREENROOM_REDIS_URL is not set"


def test_ids_left_meanwhile_are_sent_together_by_task(
    recorder: Callable[[], Recorder],
) -> None:
    broker, dispatcher = recorder(), bell._Dispatcher()
    for task, id_ in ((SCREEN, "a"), (PUBLISH, 1), (SCREEN, "b"), (PUBLISH, 2)):
        dispatcher.leave(task, id_)
    dispatcher.ring_for(dispatcher._gather())
    assert broker.sent == [(SCREEN, ["a", "b"]), (PUBLISH, [1, 2])]


def test_after_a_failed_ring_the_dispatcher_is_quiet_for_a_while(
    recorder: Callable[[int], Recorder], lost: dict[str, int]
) -> None:
    """The sweep finds what was dropped; failing again for each message would take long."""
    recorder(0)
    dispatcher = bell._Dispatcher()
    dispatcher.ring_for({SCREEN: ["a"]})
    assert dispatcher._silent_until > time.monotonic() - QUIET_SECONDS
    dispatcher._silent_until = time.monotonic() + PATIENCE
    dispatcher.leave(SCREEN, "b")
    assert (lost["not taken"], lost["broker silent"]) == (1, 1)
    dispatcher._silent_until = 0.0
    dispatcher.leave(SCREEN, "c")
    assert dispatcher._gather() == {SCREEN: ["c"]}


def test_a_full_dispatcher_drops_and_does_not_block(
    monkeypatch: pytest.MonkeyPatch, lost: dict[str, int]
) -> None:
    monkeypatch.setattr(bell, "MOST_WAITING", 2)
    dispatcher = bell._Dispatcher()
    for id_ in "abcd":
        dispatcher.leave(SCREEN, id_)
    assert lost["too many waiting"] == 2
    assert dispatcher._gather() == {SCREEN: ["a", "b"]}
