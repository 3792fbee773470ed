"""One part of Greenroom: a child process with its own children, restarted when it dies."""

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
)  # the signal with which the kernel ends a worker that uses too much CPU time for a comment
ENOUGH = 5  # deaths of one part within the window
REST_SECONDS = 5.0  # pause before a part that cannot run now is tried again


@dataclass
class Part:
    """A part leads its own process group, so Ctrl-C in a terminal reaches only `up`, and processes
    that the part leaves behind can be ended with it. `patience` is the number of seconds between
    SIGTERM and SIGKILL.
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
        """Start the part's process. Call this from the main thread, because Linux signals Valkey
        when the *thread* that started it dies.

        If the machine cannot start a process now, `up` tries again after a pause.
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
            self.terminal.say(f"{self.name} could not be started ({error.strerror}): retrying soon")
            self.rest()
            return
        assert self.process.stdout
        self.terminal.follow(self.name, self.process.stdout)
        self.note_pid()

    def note_pid(self) -> None:
        """Write the pid file, unless it is right already. If the disk is full, the next call tries
        again.
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
        """Pause: `is_due()` says when to start it again."""
        self.rests_until = time.monotonic() + REST_SECONDS

    def is_due(self) -> bool:
        return self.rests_until is not None and time.monotonic() >= self.rests_until

    def died(self) -> str | None:
        """Return how it ended, or None while it runs. Its remaining processes are ended, too;
        otherwise they would continue without it.
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
        """End it at once, with a signal that also ends a stopped process, and start it again. This
        does not count as a death.
        """
        if self.process is None or self.rests_until is not None:
            return
        self._kill()
        self.process.wait()
        self.start()

    def dies_too_often(self) -> bool:
        """Count one death. Return True at the fifth within a minute.

        A worker that used up its time limit for one comment does not count: strangers' comments
        must not end everything.
        """
        if self.process and self.process.returncode == -TIME_LIMIT:
            return False
        self.deaths.append(time.monotonic())
        return len(self.deaths) == ENOUGH and self.deaths[-1] - self.deaths[0] <= WINDOW_SECONDS

    def ask_to_end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for it to end, kill it at the deadline (on the monotonic clock), and then kill
        whatever is left of it.
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
        """Kill its whole group. (If the group is empty, another process gets the number only after
        a whole round of process ids.)
        """
        assert self.process
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def end_in_order(parts: list[Part]) -> None:
    """End web, then workers, then Valkey: each still finds what it needs to finish its work."""
    for kind in ("web", "worker", "valkey"):
        ending = [part for part in parts if part.name.startswith(kind)]
        now = time.monotonic()
        for part in ending:
            part.ask_to_end()
        for part in ending:
            part.end(now + part.patience)
