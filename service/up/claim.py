"""Whose a data folder is: one `up` at a time, and only when the parts of an earlier one have ended.

Locks end with the processes that hold them, however those ended, so nothing is left to clean up.
The second lock is held by the parts themselves, through a descriptor each inherits: after `kill -9`
of `up` they need a moment to notice.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from models.store.faults import in_words
from service.up.attention import Attention

PATIENCE_SECONDS = 15.0
PROBE_BYTES = 1024 * 1024  # with less room than that, a part cannot work


class Refused(Exception):
    """`up` can't start or go on; its words say why and what to do."""


class Claim:
    """Holds a data folder for this process. `parts` is a descriptor for each part to inherit."""

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
                f"Greenroom is running on {data} already: end that one, or choose another "
                "folder with --data."
            )
        self.parts = _open(self.run / "parts.lock")
        if trouble := self.trouble():
            raise Refused(f"Greenroom can't start: {trouble}.")

    def trouble(self) -> str | None:
        """Why nothing can be written to the data folder now, in words; None if something can."""
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
        """Until the parts of an earlier start are gone. Raises Refused if they stay."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(self.parts) and not attention.ended:
            if time.monotonic() > deadline:
                pids = " ".join(sorted(path.read_text() for path in self.run.glob("*.pid")))
                raise Refused(
                    f"Parts of an earlier start still run (process ids {pids}): end them first."
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
