"""`greenroom up` ends with all its parts, however it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from service.up.supervisor import VALKEY_SECONDS, WEB_SECONDS, WORKER_SECONDS
from tests.greenroom import PATIENCE, STOP_SECONDS, Running, running, until
from tests.processes import descendants, still_running


def _busy(up: Running, quiet: threading.Event) -> None:
    while not quiet.is_set():
        with suppress(OSError):
            urlopen(f"{up.url}/health/ready", timeout=2).close()


def test_the_parts_time_to_end_adds_up_to_what_up_promises() -> None:
    """The sum is checked, because the time that a loaded machine takes to kill a process is not
    Greenroom's.
    """
    assert WEB_SECONDS + WORKER_SECONDS + VALKEY_SECONDS < STOP_SECONDS


def test_signals_under_load_end_every_part_and_more_of_them_change_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "var") as up:
        family, quiet = descendants(up.process.pid), threading.Event()
        load = [threading.Thread(target=_busy, args=(up, quiet)) for _ in range(4)]
        for thread in load:
            thread.start()
        time.sleep(1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            up.process.send_signal(number)
            time.sleep(0.1)
        status = up.process.wait(PATIENCE)
        quiet.set()
        for thread in load:
            thread.join()
        assert status == 0, up.output
        assert not still_running(family)
        assert not list((up.data / "run").glob("*.pid"))
        assert "Traceback" not in up.output


@pytest.mark.parametrize("after", [0.3, 0.8, 1.5])
def test_a_signal_while_it_starts_ends_it_in_order(tmp_path: Path, after: float) -> None:
    with running(tmp_path / "var", ready=False) as up:
        time.sleep(after)
        family = descendants(up.process.pid)
        up.process.send_signal(signal.SIGTERM)
        status = up.process.wait(PATIENCE)
        # before its first line it has no handler and nothing to end
        assert status == 0 or (status == -signal.SIGTERM and not family), up.output
        assert not still_running(family)
        assert "Traceback" not in up.output


def test_no_process_outlives_a_killed_up_and_the_next_start_waits_for_them(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with running(tmp_path / "var", like=sqlite_template) as up:
        family = descendants(up.process.pid)
        up.process.kill()
        os.kill(
            up.pid("worker-screen"), signal.SIGKILL
        )  # its own children then have no parent to end them
        up.process.wait()
        with running(up.data, GREENROOM_PORT=str(up.port)) as again:
            assert not still_running(family)
            assert again.is_ready()


def test_five_deaths_of_one_part_within_a_minute_end_everything(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with running(tmp_path / "var", like=sqlite_template) as up:
        family = descendants(up.process.pid)
        for _ in range(5):
            before = up.pid("valkey")
            os.kill(before, signal.SIGKILL)
            until(partial(_ended_or_another, up, before))
        assert up.process.wait(PATIENCE) == 1
        assert (
            "Error: valkey died 5 times within a minute, the last time by SIGKILL. Stopped "
            "everything."
        ) in up.output
        assert not still_running(family)


def _ended_or_another(up: Running, pid: int) -> bool:
    """Whether `up` has ended, or runs another Valkey than this."""
    with suppress(FileNotFoundError):
        return up.process.poll() is not None or up.pid("valkey") != pid
    return False
