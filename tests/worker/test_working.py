"""A worker is Celery's own, with Greenroom's options."""

from __future__ import annotations

import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.settings import settings
from worker import working
from worker.broker import CLUSTER


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Record the options of Celery's worker, in a process without a broker."""
    workers: list[dict[str, Any]] = []
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    monkeypatch.setenv("GREENROOM_SCREENERS", "7")
    monkeypatch.setenv("GREENROOM_LOG_LEVEL", "error")
    monkeypatch.setattr(working, "configure_logs", lambda: None)
    monkeypatch.setattr(working, "is_cluster", lambda connection: False)
    monkeypatch.setattr(working, "_run", workers.append)
    settings.cache_clear()
    with warnings.catch_warnings():
        yield workers
    settings.cache_clear()


def test_the_first_queue_names_the_worker(workers: list[dict[str, Any]]) -> None:
    working.work("screen,publish")
    [options] = workers
    assert options["queues"] == ["screen", "publish"]
    assert options["hostname"] == f"worker-screen@{socket.gethostname()}"


def test_a_worker_of_one_queue_has_its_name(workers: list[dict[str, Any]]) -> None:
    working.work("deliver")
    assert workers[0]["hostname"].startswith("worker-deliver@")


def test_settings_become_options(workers: list[dict[str, Any]]) -> None:
    working.work("screen")
    wanted = {"concurrency": 7, "loglevel": "ERROR", "pool_cls": "threads"}
    assert wanted.items() <= workers[0].items()


def test_workers_do_not_talk_to_each_other(workers: list[dict[str, Any]]) -> None:
    working.work("screen")
    silent = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
    assert silent.items() <= workers[0].items()


def test_the_command_of_celery_is_not_loaded() -> None:
    """It brings a prompt for a terminal: 0.2 s of each start, and memory for as long as it runs."""
    loaded = "import sys, worker.working, worker.tasks; assert not {'celery.bin', 'prompt_toolkit'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", loaded], check=True)


def test_a_worker_that_failed_ends_with_its_status(
    workers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_run", lambda options: 78)
    with pytest.raises(SystemExit) as ended:
        working.work("screen")
    assert ended.value.code == 78


def test_a_worker_does_not_start_on_a_cluster(
    workers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "is_cluster", lambda connection: True)
    with pytest.raises(SystemExit) as ended:
        working.work("screen")
    assert ended.value.code == CLUSTER
    assert workers == []
