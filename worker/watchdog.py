"""Notices that this worker lives but no longer takes what waits for it, so that it can be begun
again.

Workers that went deaf after a reset of Redis were reported time and again (celery#10205), and
nothing else shows it: the process lives, its sweep goes on, new connections work. The time-outs in
`broker.py` end the one way to it that we know.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from worker.bell import messages_waiting

DEAF_SECONDS = 30


class Watchdog:
    """`heard()` is called for every message that the worker takes."""

    def __init__(self, queues: Collection[str]) -> None:
        self._queues = queues
        self._since: datetime | None = (
            None  # messages have waited at every look since, and none was taken
        )

    def heard(self, **_: object) -> None:
        self._since = None

    def is_deaf(self, at: datetime) -> bool:
        """Ask the broker. A worker is deaf when its queues were never seen empty for long, and it
        took nothing.
        """
        if not messages_waiting(self._queues):
            self._since = None
            return False
        self._since = self._since or at
        return at - self._since >= timedelta(seconds=DEAF_SECONDS)
