"""Lines of all parts go to one terminal, complete and in order; a terminal that hangs delays
nobody.
"""

from __future__ import annotations

import io
import os
import queue
import subprocess
import sys

import pytest

from service.up import terminal as terminals
from service.up.terminal import LONGEST, UNHELPFUL, Terminal

BEGIN = """
import io, os, sys, threading
from service.up.terminal import Terminal
terminal = Terminal()
def follow(name, content):
    terminal.follow(name, io.BytesIO(content))
    for thread in threading.enumerate():
        if thread.name.startswith("reads"):
            thread.join()
"""


def shown(code: str) -> list[str]:
    """Return the lines that a process with its own terminal prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"{BEGIN}{code}\nterminal.close(60)"],
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().splitlines()


class Quiet(Terminal):
    """A terminal that writes nothing: its lines stay in the queue."""

    def __init__(self, *, colours: bool = False) -> None:
        self.colours = colours
        self._lines = queue.Queue(terminals.LINES)

    def waiting(self) -> list[bytes]:
        return [self._lines.get_nowait() for _ in range(self._lines.qsize())]


def test_each_line_begins_with_the_name_of_its_part() -> None:
    assert shown("terminal.say('ready'); terminal.say('gone', by='worker-screen')") == [
        "up            | ready",
        "worker-screen | gone",
    ]


def test_every_line_of_a_part_is_passed_on_the_last_one_too() -> None:
    lines = shown(r"follow('web', b'one\ntwo\n\nlast without an end')")
    assert lines == [
        "web           | one",
        "web           | two",
        "web           | ",
        "web           | last without an end",
    ]


def test_shown_lines_have_no_part_name() -> None:
    assert shown(r"terminal.show('a banner\nof two lines\n')") == ["a banner", "of two lines"]


def test_bytes_that_are_no_utf_8_come_through() -> None:
    quiet = Quiet()
    quiet._read(b"web | ", io.BytesIO(b"\xff\xfe\n"))
    assert quiet.waiting() == [b"web | \xff\xfe\n"]


@pytest.mark.parametrize(
    ("length", "pieces"), [(LONGEST - 1, 1), (LONGEST + 1, 2), (2 * LONGEST + 1, 3)]
)
def test_a_line_that_is_too_long_is_written_in_pieces(length: int, pieces: int) -> None:
    quiet = Quiet()
    quiet._read(b"web | ", io.BytesIO(b"x" * length))
    lines = quiet.waiting()
    assert len(lines) == pieces
    assert b"".join(line.removeprefix(b"web | ").rstrip() for line in lines) == b"x" * length


def test_advice_that_does_not_help_is_left_out() -> None:
    quiet = Quiet()
    quiet._read(b"valkey | ", io.BytesIO(b"1:M # " + UNHELPFUL + b"!\nReady\n"))
    assert quiet.waiting() == [b"valkey | Ready\n"]


def test_a_full_queue_drops_lines_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "LINES", 2)
    quiet = Quiet()
    for number in range(5):
        quiet.say(str(number))
    assert [line[-2:] for line in quiet.waiting()] == [b"0\n", b"1\n"]


@pytest.mark.parametrize(
    ("name", "code"), [("up", 32), ("web", 36), ("worker-screen", 35), ("valkey", 33)]
)
def test_each_kind_of_part_has_a_colour(name: str, code: int) -> None:
    quiet = Quiet(colours=True)
    quiet.say("x", by=name)
    [line] = quiet.waiting()
    assert line.startswith(f"\x1b[{code}m{name}".encode())


def test_a_reader_that_has_left_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = f"{BEGIN}terminal.say('a'); terminal.say('b'); terminal.close(60)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_that_hangs_is_given_up_after_a_while() -> None:
    reading, writing = os.pipe()
    code = f"{BEGIN}terminal.show('x' * 2**20); terminal.close(0.05)"
    done = subprocess.run([sys.executable, "-c", code], stdout=writing, check=False, timeout=60)
    assert done.returncode == 0
    os.close(reading)
    os.close(writing)
