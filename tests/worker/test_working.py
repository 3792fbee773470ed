"""A worker is Celery's own command, with Greenroom's options."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.settings import settings
from worker import working
from worker.broker import CLUSTER


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Record the arguments for Celery's command, in a process without a broker."""
    commands: list[list[str]] = []
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    monkeypatch.setenv("GREENROOM_SCREENERS", "7")
    monkeypatch.setenv("GREENROOM_LOG_LEVEL", "error")
    monkeypatch.setattr(working, "configure_logs", lambda: None)
    monkeypatch.setattr(working, "is_cluster", lambda connection: False)
    monkeypatch.setattr(working, "_celery", commands.append)
    settings.cache_clear()
    with warnings.catch_warnings():
        yield commands
    settings.cache_clear()


def test_the_first_queue_names_the_worker(commands: list[list[str]]) -> None:
    working.work("screen,publish")
    [words] = commands
    assert "--queues=screen,publish" in words
    assert "--hostname=worker-screen@%h" in words


def test_a_worker_of_one_queue_has_its_name(commands: list[list[str]]) -> None:
    working.work("deliver")
    assert "--hostname=worker-deliver@%h" in commands[0]


def test_settings_become_options(commands: list[list[str]]) -> None:
    working.work("screen")
    assert {"--concurrency=7", "--loglevel=error", "--pool=threads"} <= set(commands[0])


def test_workers_do_not_talk_to_each_other(commands: list[list[str]]) -> None:
    working.work("screen")
    assert {"--without-gossip", "--without-mingle", "--without-heartbeat"} <= set(commands[0])


def test_a_worker_that_failed_ends_with_its_status(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_celery", lambda words: 78)
    with pytest.raises(SystemExit) as ended:
        working.work("screen")
    assert ended.value.code == 78


def test_a_worker_does_not_start_on_a_cluster(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "is_cluster", lambda connection: True)
    with pytest.raises(SystemExit) as ended:
        working.work("screen")
    assert ended.value.code == CLUSTER
    assert commands == []
