"""A full disk: readers notice nothing, posts are refused with the reason, and everything recovers
when there is space.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import event

from models.settings import settings
from models.store.database import engine
from service.up.attention import ENDING
from service.up.claim import Claim, Refused
from service.up.part import ENOUGH, Part
from service.up.signs import Signs
from service.up.supervisor import Supervisor
from tests.caller import Client, post, posted
from tests.chaos.full_disk import Disk, can_mount, small_disk
from tests.deploy.asking import Answer, ask
from tests.greenroom import GREENROOM, Running, running, until

PARTS = ("web", "valkey", "worker-screen")
COMMENTS = "/v1/sites/demo/comments"
_numbers = count(1)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Readers:
    """The accepted comments by receipt, and what readers see of them."""

    def __init__(self, up: Running) -> None:
        self.port, self.receipts = up.port, list[str]()

    def post(self) -> Answer:
        number = next(_numbers)
        who = {"name": f"Ann {number}", "email": f"ann{number}@example.org"}
        body = f"The ferry of pier {number} was late again."
        answer = ask(self.port, "POST", COMMENTS, {"thread": "/harbour", **who, "body": body})
        if answer.status == 202:
            self.receipts.append(answer.json["receipt"])
        return answer

    def shown(self) -> int:
        return int(ask(self.port, "GET", f"{COMMENTS}?thread=/harbour").json["count"])

    def read(self) -> bool:
        with suppress(OSError):
            return ask(self.port, "GET", f"{COMMENTS}?thread=/harbour").status == 200
        return False

    def all_are_settled(self) -> bool:
        """Whether every accepted comment has its decision, and the approved ones are on the
        page.
        """
        statuses = [ask(self.port, "GET", receipt).json["status"] for receipt in self.receipts]
        return "pending" not in statuses and self.shown() == statuses.count("approved")


def kill(up: Running, part: str) -> None:
    """Kill a part and wait until `up` has noticed. The disk may be too full for its messages and
    the new pid file.
    """
    file = up.data / "run" / f"{part}.pid"
    with suppress(FileNotFoundError, ProcessLookupError):
        before = file.read_text()
        os.kill(int(before), signal.SIGKILL)
        until(lambda: not file.exists() or file.read_text() != before)


def readers_go_on_and_all_parts_come_back(disk: Disk) -> None:
    with running(disk.folder / "var", GREENROOM_RATE_LIMITS="off") as up:
        readers = Readers(up)
        assert readers.post().status == 202
        until(readers.all_are_settled)
        before = readers.shown()
        os.kill(up.pid("worker-screen"), signal.SIGSTOP)
        for _ in range(5):  # the stopped worker may hold SQLite's lock until `up` replaces it
            until(lambda: readers.post().status == 202)
        disk.fill()
        with suppress(FileNotFoundError):  # `up` may have replaced a worker that hung
            os.kill(up.pid("worker-screen"), signal.SIGCONT)
        until(lambda: readers.post().status == 503)
        refused = readers.post()
        assert refused.status == 503
        assert "disk is full" in refused.json["detail"]
        said = ask(up.port, "GET", "/health/system").json["parts"]
        assert (said["database"], said["storage"]) == (
            "the database's disk is full",
            "the disk is full",
        )
        assert ask(up.port, "GET", "/health/ready").status == 200
        assert readers.shown() >= before
        for part in PARTS:
            kill(up, part)
        until(readers.read)
        assert readers.shown() >= before
        assert readers.post().status == 503
        disk.free()
        until(lambda: readers.post().status == 202)
        until(readers.all_are_settled)
        until(lambda: ask(up.port, "GET", "/health/system").status == 200)
        until(lambda: all((up.data / "run" / f"{part}.pid").exists() for part in PARTS))
        assert "Traceback" not in up.output


if can_mount():

    @pytest.fixture
    def disk(tmp_path: Path) -> Iterator[Disk]:
        with small_disk(tmp_path / "disk", megabytes=64) as made:
            yield made

    def test_readers_are_served_and_all_parts_restart_even_those_that_died_meanwhile(
        disk: Disk,
    ) -> None:
        readers_go_on_and_all_parts_come_back(disk)

    def test_a_start_on_a_full_disk_is_refused_in_a_sentence(disk: Disk) -> None:
        disk.fill()
        environment = os.environ | {
            "GREENROOM_DATA": str(disk.folder / "var"),
            "GREENROOM_PORT": "0",
        }
        refused = subprocess.run(
            [*GREENROOM, "up"], env=environment, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1, refused.stderr
        assert "the disk is full" in refused.stderr


@on_sqlite
def test_a_post_that_finds_no_room_is_refused_with_the_reason(client: Client) -> None:
    posted(client)
    with engine().connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def leave_no_room(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    event.listen(engine(), "begin", leave_no_room)
    try:
        answers = [
            post(client, body=f"{number} " + "A long comment. " * 600) for number in range(5)
        ]
    finally:
        event.remove(engine(), "begin", leave_no_room)
        engine().dispose()
    assert answers[-1].status_code == 503
    assert "disk is full" in answers[-1].json["detail"]
    posted(client, body="There is room again.")


class Quiet:
    """Takes the place of a terminal and keeps what was printed."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, words: str) -> None:
        self.said.append(words)

    def follow(self, _name: str, stream: Any) -> None:
        stream.close()


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    with closing(Signs()) as signs:
        made = Part(
            "web",
            ["sleep", "60"],
            1.0,
            dict(os.environ),
            Claim(tmp_path),
            cast(Any, Quiet()),
            signs,
        )
        yield made
        made.end(0)


def test_a_pid_file_that_cannot_be_written_is_written_later(part: Part) -> None:
    draft = part.claim.run / "web.new"
    draft.mkdir()  # nothing can be written there
    part.start()
    assert not (part.claim.run / "web.pid").exists()
    draft.rmdir()
    part.note_pid()
    assert part.process
    assert (part.claim.run / "web.pid").read_text() == str(part.process.pid)


def test_a_part_that_the_machine_cannot_start_rests_and_is_tried_again(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.up.part.REST_SECONDS", 0.0)
    command, part.command = part.command, ["/nowhere/to/be/found"]
    part.start()
    assert part.died() is None
    assert part.is_due()
    part.command = command
    part.start()
    assert part.process
    assert not part.is_due()


def test_five_deaths_in_a_minute_end_all_only_while_the_data_folder_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    settings.cache_clear()
    handlers = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGCHLD)}
    up = Supervisor()
    settings.cache_clear()
    part = Part("web", ["false"], 1.0, dict(os.environ), up._claim, cast(Any, Quiet()), up._signs)
    up._parts.append(part)
    try:
        (tmp_path / "run" / "probe").mkdir()
        part.start()
        until(lambda: part.rests_until is not None or up._start_what_died())
        (tmp_path / "run" / "probe").rmdir()
        part.rests_until = 0.0
        with pytest.raises(Refused, match=f"web died {ENOUGH} times within a minute"):
            until(up._start_what_died)
    finally:
        part.end(0)
        signal.set_wakeup_fd(-1)
        up._signs.close()
        up._attention._ear.close()
        up._attention._mouth.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
