"""A real `greenroom up` for tests, with its own folder and port. It is ended with all its parts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port
from tests.processes import is_running

GREENROOM = [sys.executable, "-m", "service.commands.main"]
# Seconds. Only a failing test waits this long, so no test depends on how fast the machine is.
PATIENCE = 60.0
STOP_SECONDS = 15.0  # promised by the contract


@dataclass
class Running:
    """A `greenroom up` that is ready. `environment` is for commands that must talk to the same
    service.
    """

    process: subprocess.Popen[bytes]
    data: Path
    port: int
    environment: dict[str, str]
    log: Path
    _keys: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Everything that `up` and its parts have printed so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def owner(self) -> tuple[str, str]:
        """The email and one-time password from the banner of the first start."""
        email, password = re.search(r"Sign in +(\S+)\s+Password +(\S+)", self.output).groups()  # type: ignore[union-attr]
        return email, password

    def key(self, scope: str = "admin", site: str = "demo") -> str:
        """Return a key `gr_…`. It is made once, because each command is a process."""
        if (site, scope) not in self._keys:
            key = self.command("key", "create", "--site", site, "--scope", scope).strip()
            self._keys[site, scope] = key
        return self._keys[site, scope]

    def command(self, *words: str) -> str:
        """Run `greenroom` with these arguments on the same folder; return its output."""
        done = subprocess.run(
            [*GREENROOM, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pid(self, part: str) -> int:
        """Return the process id of `web`, `valkey` or `worker-screen`."""
        return int((self.data / "run" / f"{part}.pid").read_text())

    def replaced(self, part: str, before: int) -> bool:
        """Whether a new process runs this part."""
        try:
            return self.pid(part) != before and is_running(self.pid(part))
        except FileNotFoundError:  # the old process has ended, and the new one has not started yet
            return False

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"{self.url}/health/ready?for=writing", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> int:
        """End it; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def running(
    data: Path,
    *,
    like: Path | None = None,
    ready: bool = True,
    command: Sequence[str] = GREENROOM,
    **environment: str,
) -> Iterator[Running]:
    """Start `greenroom up` on a free port with these `GREENROOM_…` variables, and end it when the
    block ends.

    Migrating a new database is a fifth of a first start. A test that is not about the start begins
    with a copy of a migrated database, `like`.
    """
    if like:
        data.mkdir()
        shutil.copy(like, data / "greenroom.db")
    port = int(environment.get("GREENROOM_PORT") or free_port())
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")
    }
    variables |= {"GREENROOM_DATA": str(data), "GREENROOM_PORT": str(port)} | environment
    log = data.parent / f"{data.name}-{time.time_ns()}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "up"],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    up = Running(process, data, port, variables, log)
    try:
        if ready:
            until(lambda: "Greenroom is ready" in up.output or process.poll() is not None)
            assert process.poll() is None, up.output
        yield up
    finally:
        if process.poll() is None:
            up.stop()


def until(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a condition to become true. Raises AssertionError if it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
