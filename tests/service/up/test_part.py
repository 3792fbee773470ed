"""One part of `up`: a child process that is restarted, replaced and ended with everything it
starts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from service.up import part as parts
from service.up.claim import Claim
from service.up.part import ENOUGH, TIME_LIMIT, WINDOW_SECONDS, Part, end_in_order
from service.up.signs import Signs
from service.up.terminal import Terminal
from tests.greenroom import PATIENCE, until
from worker.lifeline import PULSE

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
IGNORE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""
DEAF = [sys.executable, "-c", IGNORE]
Make = Callable[..., Part]


class Heard:
    """A terminal that records what is printed."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.output: list[Any] = []

    def say(self, words: str) -> None:
        self.said.append(words)

    def follow(self, name: str, stream: Any) -> None:
        self.output.append(stream)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return parts on a claimed folder, ended after the test."""
    made: list[Part] = []
    claim = Claim(tmp_path)
    signs = cast(Signs, SimpleNamespace(address="127.0.0.1:9", expect=lambda name: None))

    def make(command: list[str] = SLEEP, *, name: str = "web", patience: float = PATIENCE) -> Part:
        terminal = cast(Terminal, Heard())
        made.append(Part(name, command, patience, dict(os.environ), claim, terminal, signs))
        return made[-1]

    yield make
    for part in made:
        part.end(time.monotonic())
        for stream in cast(Any, part.terminal).output:
            stream.close()
    os.close(claim.parts)
    os.close(claim._up)


def pid_file(part: Part) -> Path:
    return part.claim.run / f"{part.name}.pid"


def test_a_part_leads_its_own_process_group_and_writes_its_pid(make: Make) -> None:
    part = make()
    part.start()
    assert part.process
    assert os.getpgid(part.process.pid) == part.process.pid
    assert pid_file(part).read_text() == str(part.process.pid)
    assert part.died() is None


def test_a_part_gets_the_address_for_heartbeats(make: Make) -> None:
    part = make([sys.executable, "-c", f"import os; print(os.environ[{PULSE!r}])"])
    part.start()
    assert part.process
    assert part.process.stdout
    assert part.process.stdout.read() == b"127.0.0.1:9 web\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)", "with exit status 3"),
        ("", "with exit status 0"),
        ("import os; os.kill(os.getpid(), 9)", "by SIGKILL"),
    ],
)
def test_the_cause_of_death_is_printed(make: Make, code: str, words: str) -> None:
    part = make([sys.executable, "-c", code])
    part.start()
    assert part.process
    part.process.wait(PATIENCE)
    assert part.died() == words


def test_processes_of_a_dead_part_are_ended(make: Make) -> None:
    child = f"import subprocess; print(subprocess.Popen({SLEEP!r}).pid, flush=True)"
    part = make([sys.executable, "-c", child])
    part.start()
    assert part.process
    assert part.process.stdout
    left = int(part.process.stdout.readline())
    part.process.wait(PATIENCE)
    assert part.died()
    part.process.stdout.read()  # ends when nobody holds the other end
    until(lambda: not _runs(left))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_cannot_be_started_is_tried_again_after_a_rest(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = make(["/nowhere/greenroom"])
    part.start()
    assert cast(Any, part.terminal).said == [
        "web could not be started (No such file or directory): retrying soon"
    ]
    assert (part.is_due(), part.died()) == (False, None)
    later = time.monotonic() + parts.REST_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert part.is_due()


def test_a_part_that_never_rested_is_not_due(make: Make) -> None:
    assert not make().is_due()


@pytest.mark.parametrize(
    ("deaths", "seconds_between", "too_often"),
    [
        (ENOUGH - 1, 0.0, False),
        (ENOUGH, 0.0, True),
        (ENOUGH, WINDOW_SECONDS / (ENOUGH - 1), True),
        (ENOUGH, WINDOW_SECONDS / (ENOUGH - 1) + 0.1, False),
    ],
)
def test_five_deaths_in_a_minute_are_too_often(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    deaths: int,
    seconds_between: float,
    too_often: bool,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(parts, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    part = make()
    found = []
    for _ in range(deaths):
        found.append(part.dies_too_often())
        clock[0] += seconds_between
    monkeypatch.undo()
    assert found == [False] * (deaths - 1) + [too_often]


def test_a_worker_over_its_time_limit_is_not_counted(make: Make) -> None:
    part = make()
    part.process = cast(subprocess.Popen[bytes], SimpleNamespace(returncode=-TIME_LIMIT))
    assert [part.dies_too_often() for _ in range(2 * ENOUGH)] == [False] * 2 * ENOUGH
    part.process = None


def test_a_stopped_part_is_replaced_by_another_process(make: Make) -> None:
    part = make()
    part.start()
    assert part.process
    before = part.process.pid
    os.kill(before, signal.SIGSTOP)
    part.replace()
    assert part.process.pid != before
    assert pid_file(part).read_text() == str(part.process.pid)
    assert len(part.deaths) == 0


def test_a_part_that_ends_when_asked_is_not_killed(make: Make) -> None:
    part = make()
    part.start()
    part.ask_to_end()
    part.end(time.monotonic() + PATIENCE)
    assert part.process
    assert part.process.returncode == -signal.SIGTERM
    assert not pid_file(part).exists()


def test_a_part_that_does_not_end_when_asked_is_killed_at_the_deadline(make: Make) -> None:
    part = make(DEAF)
    part.start()
    assert part.process
    assert part.process.stdout
    assert part.process.stdout.readline() == b"deaf\n"
    part.ask_to_end()
    part.end(time.monotonic() + 0.05)
    assert part.process.returncode == -signal.SIGKILL


def test_web_ends_first_and_valkey_last(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(Part, "ask_to_end", lambda self: order.append(f"ask {self.name}"))
    with monkeypatch.context() as patch:
        patch.setattr(Part, "end", lambda self, deadline: order.append(f"end {self.name}"))
        end_in_order([make(name=name) for name in ("valkey", "worker-a", "worker-b", "web")])
    assert order == [
        *("ask web", "end web"),
        *("ask worker-a", "ask worker-b", "end worker-a", "end worker-b"),
        *("ask valkey", "end valkey"),
    ]


def test_a_part_that_was_never_started_has_nothing_to_end(make: Make) -> None:
    part = make()
    part.ask_to_end()
    part.end(time.monotonic())
    part.replace()
    assert part.process is None
    assert part.died() is None
