"""Who uses a data folder: one `up` at a time, and only after the parts of an earlier one have
ended.

Locks end with their processes, however those end, so nothing needs cleaning up. The parts
themselves hold the second lock, through a descriptor that each inherits: after `kill -9` of `up`
they need a moment to notice.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from models.store.faults import in_words
from service.up.attention import Attention

PATIENCE_SECONDS = 15.0
PROBE_BYTES = 1024 * 1024  # with less space than this, a part cannot work


class Refused(Exception):
    """Raised if `up` can't start or continue; the message says why and what to do."""


class Claim:
    """Holds a data folder for this process. Each part inherits the descriptor `parts`."""

    def __init__(self, data: Path) -> None:
        self.run = data / "run"
        try:
            self.run.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._up = _open(self.run / "up.lock")
        except OSError as error:
            why = (error.strerror or "it can't be written").lower()
            raise Refused(
                f"The data folder {data} can't be used ({why}): choose another with --data."
            ) from error
        if not _locked(self._up):
            raise Refused(
                f"Greenroom is already running with the data folder {data}: stop it, or choose "
                "another with --data."
            )
        self.parts = _open(self.run / "parts.lock")
        if trouble := self.trouble():
            raise Refused(f"Greenroom can't start: {trouble}.")

    def trouble(self) -> str | None:
        """Return why nothing can be written to the data folder now, or None if it can."""
        probe = self.run / "probe"
        try:
            try:
                probe.write_bytes(bytes(PROBE_BYTES))
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            return (
                f"the data folder {self.run.parent} can't be written "
                f"({in_words(error) or error.strerror})"
            )
        return None

    def wait(self, attention: Attention) -> None:
        """Wait until the parts of an earlier start are gone. Raises Refused if they stay."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(self.parts) and not attention.ended:
            if time.monotonic() > deadline:
                pids = " ".join(sorted(path.read_text() for path in self.run.glob("*.pid")))
                raise Refused(
                    f"Processes from a previous run are still running (process ids {pids}). "
                    "Stop them first."
                )
            attention.wait(0.1)
        for left in self.run.glob("*.pid"):
            left.unlink()


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
