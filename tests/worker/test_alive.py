"""A worker's health check looks for a recent heartbeat of a worker on this host."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from models.records import Heartbeat
from models.settings import settings
from models.store.database import begin, now
from worker.alive import SILENT_SECONDS, is_alive

HOST = "box-1"


@pytest.fixture(autouse=True)
def _this_host(data: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)


def beat(name: str = f"worker-screen@{HOST}", *, seconds_ago: float = 0) -> None:
    with begin() as session:
        session.add(Heartbeat(name=name, at=now() - timedelta(seconds=seconds_ago)))


def test_without_a_heartbeat_no_worker_is_alive() -> None:
    assert not is_alive()


def test_a_worker_that_just_gave_one_is_alive() -> None:
    beat()
    assert is_alive()


@pytest.mark.parametrize(
    ("ago", "alive"), [(SILENT_SECONDS - 10, True), (SILENT_SECONDS + 1, False)]
)
def test_a_sign_counts_for_half_a_minute(ago: float, alive: bool) -> None:
    beat(seconds_ago=ago)
    assert is_alive() is alive


def test_a_worker_that_sweeps_seldom_may_be_silent_for_three_sweeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GREENROOM_SWEEP_SECONDS", "60")
    settings.cache_clear()
    beat(seconds_ago=170)
    assert is_alive()


def test_one_worker_that_lives_is_enough() -> None:
    beat("worker-screen@box-1", seconds_ago=3600)
    beat("worker-deliver@box-1")
    assert is_alive()


@pytest.mark.parametrize(
    "name",
    [
        "worker-screen@box-2",
        "worker-screen@box-11",
        "worker-screen@other-box-1",
        "worker-screen@BOX_1",
    ],
)
def test_a_worker_of_another_host_does_not_count(name: str) -> None:
    beat(name)
    assert not is_alive()


def test_a_hosts_name_is_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "box_1")
    beat("worker-screen@box-1")
    assert not is_alive()
