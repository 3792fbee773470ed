"""Heartbeats, and the end of a process whose parent has gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.greenroom import PATIENCE
from worker import lifeline
from worker.lifeline import PULSE, STARTS, UP, Pulse

SON = """
import os, signal, sys, time
from worker import lifeline
lifeline.POLL_SECONDS, lifeline.GRACE_SECONDS = 0.01, 0.05
{before}
lifeline.watch_parent({parent})
time.sleep({patience})
"""


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listens where `up` would listen for the part "web"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(PATIENCE)
        monkeypatch.setenv(PULSE, f"127.0.0.1:{ear.getsockname()[1]} web")
        yield ear


@pytest.mark.parametrize(("process", "name"), [("", "web"), ("answering", "web.answering")])
def test_a_part_says_its_name_and_its_process(ear: socket.socket, process: str, name: str) -> None:
    pulse = Pulse(process)
    pulse.start()
    pulse.beat()
    assert [ear.recv(100).decode() for _ in range(2)] == [f"{name} {STARTS}", name]


@pytest.mark.parametrize("value", ["", "127.0.0.1:9"])
def test_a_process_that_up_did_not_start_says_nothing(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(PULSE, value)
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("it spoke"))
    Pulse().beat()


def test_ringing_without_a_listener_is_no_error(ear: socket.socket) -> None:
    pulse = Pulse()
    ear.close()
    pulse.beat()
    pulse.beat()  # otherwise the second heartbeat would get the first one's error


def test_a_part_started_by_hand_watches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(UP, raising=False)
    monkeypatch.setattr(lifeline, "_start_thread", lambda *_, **__: pytest.fail("it watches"))
    lifeline.watch_up()


def son(parent: str, before: str = "") -> int:
    """Return the exit status of a process that watches this parent."""
    code = SON.format(parent=parent, before=before, patience=PATIENCE)
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_a_process_whose_parent_died_before_it_watched_is_asked_to_end() -> None:
    assert son(parent="1") == -signal.SIGTERM  # its parent is this test, and not process 1


def test_a_process_that_does_not_end_when_asked_is_killed() -> None:
    assert son(parent="1", before="signal.signal(15, signal.SIG_IGN)") == -signal.SIGKILL


def test_the_caller_chooses_the_action_at_the_death() -> None:
    assert son(parent="1, on_death=lambda: os._exit(7)") == 7


def test_a_process_runs_while_its_parent_lives() -> None:
    before = "import threading; threading.Timer(0.2, lambda: os._exit(0)).start()"
    assert son(parent=str(os.getpid()), before=before) == 0
