"""Print the output of `up` and its parts, one line at a time, on one terminal.

A thread reads each part, and a single one writes. So a terminal that hangs (a pipe that nobody
reads, Ctrl-S) delays nobody: lines that do not fit into the queue are dropped, and everything is
dropped after the reader has gone.
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
}  # ANSI colours, by the first word of the part's name
# Valkey's advice about the machine is of no use here: it forks only to rewrite a small append-only
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
        """Print several lines of `up` itself, unchanged."""
        self._put(text.encode())

    def follow(self, name: str, stream: IO[bytes]) -> None:
        """Pass on every line of a part until it closes its end."""
        threading.Thread(
            target=self._read, args=(self._name(name), stream), name=f"reads {name}", daemon=True
        ).start()

    def close(self, seconds: float = 1.0) -> None:
        """Wait until everything is written, or the terminal has hung for too long."""
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
        ):  # losing a line is better than a part that waits for a terminal
            self._lines.put_nowait(line)

    def _write(self) -> None:
        """Write directly to the file: a buffered stream's lock, if held here forever, would block
        the interpreter's own end.
        """
        while line := self._lines.get():
            try:
                while line:
                    line = line[os.write(1, line) :]
            except OSError:
                pass  # nobody reads any more, but the parts must continue
            self._lines.task_done()
