"""`greenroom up` supervises its parts: it restarts those that die, and explains those that can't
start.
"""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.greenroom import GREENROOM, Running, running, until
from tests.processes import descendants, is_running, still_running

PARTS = ("web", "valkey", "worker-screen")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("up") / "with space") as started:
        yield started


def test_every_part_has_a_pid_file(up: Running) -> None:
    assert {path.name for path in (up.data / "run").glob("*.pid")} == {
        f"{part}.pid" for part in PARTS
    }
    assert all(psutil.Process(up.pid(part)).ppid() == up.process.pid for part in PARTS)


def test_the_first_start_shows_where_to_go_and_whom_to_sign_in_as(up: Running) -> None:
    email, password = up.owner
    assert "@" in email
    assert len(password) >= 10
    assert f"{up.url}/demo" in up.output
    assert f"{up.url}/console/" in up.output


def test_secrets_are_only_in_the_owners_files_and_on_no_command_line(up: Running) -> None:
    config = up.data / "valkey" / "valkey.conf"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    password = re.search(r"requirepass (\S+)", config.read_text())
    assert password
    tree = descendants(up.process.pid)
    assert not [process for process in tree if password[1] in " ".join(process.cmdline())]


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_restarted(up: Running, part: str) -> None:
    before, port = up.pid(part), (up.data / "run" / "valkey.port").read_text()
    os.kill(before, signal.SIGKILL)
    until(lambda: up.replaced(part, before))
    until(up.is_ready)
    assert (up.data / "run" / "valkey.port").read_text() == port
    assert f"{part} died by SIGKILL: restarting it" in up.output


def test_valkey_killed_listens_on_its_same_port_again(up: Running) -> None:
    port, before = int((up.data / "run" / "valkey.port").read_text()), up.pid("valkey")
    os.kill(before, signal.SIGKILL)
    until(lambda: up.replaced("valkey", before) and port in _listening(up.pid("valkey")))


def _listening(pid: int) -> set[int]:
    with suppress(psutil.NoSuchProcess):
        return {
            each.laddr.port
            for each in psutil.Process(pid).net_connections("tcp")
            if each.status == "LISTEN"
        }
    return set()


def test_the_web_processs_children_end_with_it(up: Running) -> None:
    main = psutil.Process(up.pid("web"))
    left = descendants(main.pid)
    assert left
    main.kill()
    until(lambda: not still_running(left))
    until(up.is_ready)


def test_the_process_that_answers_is_restarted_too(up: Running) -> None:
    [answering] = descendants(up.pid("web"))
    answering.kill()
    until(lambda: not is_running(answering) and up.is_ready())


def test_a_key_made_while_it_runs_opens_the_service(up: Running) -> None:
    assert re.fullmatch(r"gr_\S+", up.key("read"))


def test_a_second_up_on_the_same_folder_says_so(up: Running) -> None:
    refused = subprocess.run(
        [*GREENROOM, "up"], env=up.environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: Greenroom is already running with the data folder ")
    assert refused.stderr.count("\n") == 1
    assert up.is_ready()


def test_a_port_that_is_taken_is_named(up: Running, tmp_path: Path) -> None:
    elsewhere = up.environment | {"GREENROOM_DATA": str(tmp_path / "other")}
    refused = subprocess.run(
        [*GREENROOM, "up"], env=elsewhere, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert f"Port {up.port} on 127.0.0.1 is already in use" in refused.stderr
    assert refused.stderr.count("\n") == 1
