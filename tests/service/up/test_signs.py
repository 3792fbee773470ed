"""`greenroom up` replaces a part that hangs, and only then."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from service.up import signs as signs_of_life
from service.up.claim import Claim
from service.up.part import ENOUGH, Part
from service.up.signs import MOST_COUNTED, SILENT_SECONDS, START_SECONDS, Signs
from tests.deploy.asking import ask
from tests.greenroom import Running, running, until
from tests.processes import descendants
from worker.lifeline import PULSE, Pulse


class Clock:
    """The time that the supervisor sees."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(signs_of_life, "monotonic", made)
    return made


@pytest.fixture
def signs(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signs]:
    with closing(Signs()) as made:
        made.expect("web")
        monkeypatch.setenv(PULSE, f"{made.address} web")
        yield made


def after(signs: Signs, clock: Clock, seconds: float, *, step: float = 1.0) -> set[str]:
    """Return the silent parts, looking every second for that long."""
    silent: set[str] = set()
    for _ in range(round(seconds / step)):
        clock.seconds += step
        silent = signs.silent()
    return silent


def test_a_part_is_silent_ten_seconds_after_its_last_sign(signs: Signs, clock: Clock) -> None:
    Pulse().beat()
    assert after(signs, clock, SILENT_SECONDS) == set()
    assert after(signs, clock, 1) == {"web"}
    Pulse().beat()
    assert after(signs, clock, 1) == set()


def test_a_part_that_has_given_no_sign_yet_takes_its_time_to_start(
    signs: Signs, clock: Clock
) -> None:
    assert after(signs, clock, START_SECONDS - 1) == set()
    assert after(signs, clock, 1) == {"web"}


def test_each_process_of_a_part_is_missed(signs: Signs, clock: Clock) -> None:
    Pulse().beat()
    Pulse("answering").beat()
    for _ in range(round(SILENT_SECONDS)):
        Pulse().beat()
        assert after(signs, clock, 1) == set()
    Pulse().beat()
    assert after(signs, clock, 1) == {"web"}


def test_a_process_that_starts_again_is_judged_from_its_next_sign_on(
    signs: Signs, clock: Clock
) -> None:
    Pulse("answering").beat()
    after(signs, clock, 1)
    Pulse("answering").start()
    assert after(signs, clock, 3 * SILENT_SECONDS) == set()
    Pulse("answering").beat()
    assert after(signs, clock, 2 * SILENT_SECONDS) == {"web"}


def test_a_late_heartbeat_of_the_last_process_does_not_count_for_the_next(
    signs: Signs, clock: Clock
) -> None:
    Pulse().beat()
    signs.expect("web")
    assert after(signs, clock, START_SECONDS - 1) == set()


def test_time_in_which_up_itself_was_stopped_does_not_count(signs: Signs, clock: Clock) -> None:
    """A laptop that sleeps, or a whole process group that was stopped."""
    Pulse().beat()
    after(signs, clock, 1)
    assert after(signs, clock, 3600, step=3600) == set()
    assert after(signs, clock, SILENT_SECONDS - MOST_COUNTED - 1) == set()


def test_strangers_words_are_no_signs(signs: Signs, clock: Clock) -> None:
    host, _, port = signs.address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for words in (b"", b"\xff\xff", b"nobody", b"x" * 2000):
            stranger.sendto(words, (host, int(port)))
    assert signs._silent.keys() == {"web"}


def test_a_server_that_is_asked_is_silent_when_it_takes_the_question_and_gives_no_answer(
    signs: Signs, clock: Clock
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        signs.expect("valkey")
        signs.ask("valkey", server.getsockname()[1])
        signs.silent()
        taken, _ = server.accept()
        with taken:
            taken.sendall(b"-NOAUTH\r\n")
            until(lambda: not signs.silent() and "valkey" in signs._silent)
        assert after(signs, clock, 2 * SILENT_SECONDS) == {"valkey"}
    until(lambda: not signs.silent())  # nobody listens: it has died, or is starting
    assert "valkey" not in after(signs, clock, START_SECONDS - 1)
    assert "valkey" in after(signs, clock, 5)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp("signs") / "var", like=sqlite_template, GREENROOM_DNS="127.0.0.1:1"
    ) as started:
        yield started


def works(up: Running) -> bool:
    try:
        return ask(up.port, "GET", "/health/system").status == 200
    except OSError:
        return False


def test_stopped_processes_are_replaced(up: Running) -> None:
    until(partial(works, up))  # a part that is stopped while it starts gets more time
    before = {part: up.pid(part) for part in ("web", "worker-screen", "valkey")}
    for pid in before.values():
        os.kill(pid, signal.SIGSTOP)
    for part, pid in before.items():
        until(partial(up.replaced, part, pid))
        assert f"{part} does not respond: restarting it" in up.output
    until(up.is_ready)


def test_the_process_that_answers_is_missed_too(up: Running) -> None:
    before = up.pid("web")
    [answering] = descendants(before)
    answering.suspend()
    until(partial(up.replaced, "web", before))
    until(up.is_ready)


def test_neither_a_replaced_part_nor_a_worker_over_its_time_limit_counts_as_a_death(
    tmp_path: Path, signs: Signs
) -> None:
    """Otherwise strangers' comments, or a machine that stalls, could end everything."""
    part = Part(
        "web", ["sleep", "60"], 1.0, dict(os.environ), Claim(tmp_path), cast(Any, Quiet()), signs
    )
    try:
        part.start()
        for _ in range(2 * ENOUGH):
            part.replace()
        for _ in range(2 * ENOUGH):
            assert part.process
            part.process.send_signal(signal.SIGVTALRM)
            until(part.died)
            assert not part.dies_too_often()
            part.start()
        assert not part.deaths
    finally:
        part.end(0)


class Quiet:
    def follow(self, _name: str, stream: Any) -> None:
        stream.close()


def test_nothing_is_replaced_after_everything_was_stopped(up: Running) -> None:
    before = {part: up.pid(part) for part in ("web", "worker-screen", "valkey")}
    family = [up.process.pid, *(process.pid for process in descendants(up.process.pid))]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    threading.Event().wait(SILENT_SECONDS + 2)
    for pid in reversed(family):
        os.kill(pid, signal.SIGCONT)
    until(up.is_ready)
    threading.Event().wait(2 * MOST_COUNTED)
    assert {part: up.pid(part) for part in before} == before
