"""What `up` and its parts say, one line at a time on one terminal.

A thread reads each part, and one alone writes. A terminal that stands still (a pipe nobody reads,
Ctrl-S) therefore holds up nobody: what does not fit the queue is dropped, and so is everything once
the reader has left.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from typing import IO

LINES = 10_000
LONGEST = 64 * 1024  # bytes; a longer line is written in pieces
COLOURS = {
    "web": 36,
    "worker": 35,
    "valkey": 33,
    "up": 32,
}  # ANSI, by the first word of the part's name
# Advice about the machine, of no use here: nothing forks but the rewrite of a small append-only
# file.
UNHELPFUL = b"WARNING Memory overcommit must be enabled"


class Terminal:
    def __init__(self) -> None:
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._lines: queue.Queue[bytes] = queue.Queue(LINES)
        threading.Thread(target=self._write, name="terminal", daemon=True).start()

    def say(self, words: str, by: str = "up") -> None:
        self._put(self._name(by) + words.encode() + b"\n")

    def show(self, text: str) -> None:
        """Several lines of `up`'s own, as they are."""
        self._put(text.encode())

    def follow(self, name: str, stream: IO[bytes]) -> None:
        """Pass on every line of a part until it has closed its end."""
        threading.Thread(
            target=self._read, args=(self._name(name), stream), name=f"reads {name}", daemon=True
        ).start()

    def close(self, seconds: float = 1.0) -> None:
        """Wait until all is written, or the terminal has stood still for too long."""
        deadline = time.monotonic() + seconds
        while self._lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)

    def _name(self, name: str) -> bytes:
        padded = f"{name:<13}"
        return (
            f"\x1b[{COLOURS[name.partition('-')[0]]}m{padded}\x1b[0m │ ".encode()
            if self.colours
            else f"{padded} | ".encode()
        )

    def _read(self, name: bytes, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LONGEST):
                if UNHELPFUL not in line:
                    self._put(name + line.rstrip(b"\n") + b"\n")

    def _put(self, line: bytes) -> None:
        with contextlib.suppress(
            queue.Full
        ):  # better a lost line than a part that waits for a terminal
            self._lines.put_nowait(line)

    def _write(self) -> None:
        """Straight to the file: a buffered stream's lock, held here for ever, would block the
        interpreter's own end.
        """
        while line := self._lines.get():
            try:
                while line:
                    line = line[os.write(1, line) :]
            except OSError:
                pass  # nobody reads any more; the parts must go on
            self._lines.task_done()
