"""One part of Greenroom: a child process with all that it starts, begun again when it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from service.up.claim import Claim
from service.up.signs import Signs
from service.up.terminal import Terminal
from worker.lifeline import PULSE

WINDOW_SECONDS = 60.0
TIME_LIMIT = (
    signal.SIGVTALRM
)  # how the kernel ends a worker whose work for a comment takes too much CPU time
ENOUGH = 5  # deaths of one part within the window
REST_SECONDS = 5.0  # before a part that cannot live now is tried again


@dataclass
class Part:
    """A part leads a process group of its own: Ctrl-C in a terminal reaches `up` alone, and what
    the part leaves behind can be ended with it. `patience`: seconds between SIGTERM and SIGKILL.
    """

    name: str
    command: list[str]
    patience: float
    environment: dict[str, str]
    claim: Claim
    terminal: Terminal
    signs: Signs
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=ENOUGH))
    process: subprocess.Popen[bytes] | None = None
    rests_until: float | None = None  # on the monotonic clock
    noted_pid: int | None = None

    def start(self) -> None:
        """Start it, from the main thread: Linux tells Valkey of the death of the *thread* that
        started it.

        A machine that cannot start a process now is asked again after a rest.
        """
        self.rests_until = None
        self.signs.expect(self.name)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - the commands are ours
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.environment | {PULSE: f"{self.signs.address} {self.name}"},
                start_new_session=True,
                pass_fds=(self.claim.parts,),
            )
        except OSError as error:
            self.terminal.say(
                f"{self.name} could not be started ({error.strerror}): trying again soon"
            )
            self.rest()
            return
        assert self.process.stdout
        self.terminal.follow(self.name, self.process.stdout)
        self.note_pid()

    def note_pid(self) -> None:
        """Write the pid file, unless it says so already. A disk that is full now is asked again at
        the next call.
        """
        if self.process is None or self.noted_pid == self.process.pid:
            return
        draft = self._pid_file.with_suffix(".new")
        try:
            self._pid_file.unlink(
                missing_ok=True
            )  # no file is better than one that names a dead process
            draft.write_text(str(self.process.pid))
            draft.replace(self._pid_file)
        except OSError:
            return
        self.noted_pid = self.process.pid

    def rest(self) -> None:
        """Leave it for a while: `is_due()` says when to start it again."""
        self.rests_until = time.monotonic() + REST_SECONDS

    def is_due(self) -> bool:
        return self.rests_until is not None and time.monotonic() >= self.rests_until

    def died(self) -> str | None:
        """How it ended, or None while it runs. What it leaves is ended too: without its head it
        would go on working.
        """
        if (
            self.process is None
            or self.rests_until is not None
            or (status := self.process.poll()) is None
        ):
            return None
        self._kill()
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"

    def replace(self) -> None:
        """End it at once, which a stopped process hears of too, and start it anew. This is no death
        that is counted.
        """
        if self.process is None or self.rests_until is not None:
            return
        self._kill()
        self.process.wait()
        self.start()

    def dies_too_often(self) -> bool:
        """Count one death. True at the last of five in a minute.

        A worker that used up its time limit for one comment is not counted: strangers' comments
        shall not end it all.
        """
        if self.process and self.process.returncode == -TIME_LIMIT:
            return False
        self.deaths.append(time.monotonic())
        return len(self.deaths) == ENOUGH and self.deaths[-1] - self.deaths[0] <= WINDOW_SECONDS

    def ask_to_end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for it to end, kill it at the deadline (on the monotonic clock), and whatever is
        left of it.
        """
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        self._kill()
        self.process.wait()
        for file in (self._pid_file, self._pid_file.with_suffix(".new")):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self.claim.run / f"{self.name}.pid"

    def _kill(self) -> None:
        """All of its group. (With nobody left, the number is another's only after a whole round of
        process ids.)
        """
        assert self.process
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def end_in_order(parts: list[Part]) -> None:
    """Web, then workers, then Valkey: each still finds what it needs to finish its work."""
    for kind in ("web", "worker", "valkey"):
        ending = [part for part in parts if part.name.startswith(kind)]
        now = time.monotonic()
        for part in ending:
            part.ask_to_end()
        for part in ending:
            part.end(now + part.patience)
