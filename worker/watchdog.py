"""Notice that this worker runs but no longer takes messages that wait for it, so that it can be
restarted.

Workers that stopped consuming after a reset of Redis have been reported repeatedly (celery#10205),
and nothing else reveals it: the process runs, its sweep continues, new connections work. The
time-outs in `broker.py` prevent the one cause that we know.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from worker.bell import messages_waiting

DEAF_SECONDS = 30


class Watchdog:
    """Decides whether the worker still consumes. Call `heard()` for every message that the worker
    takes.
    """

    def __init__(self, queues: Collection[str]) -> None:
        self._queues = queues
        self._since: datetime | None = (
            None  # since then, messages waited at every look, and none was taken
        )

    def heard(self, **_: object) -> None:
        self._since = None

    def is_deaf(self, at: datetime) -> bool:
        """Ask the broker. A worker is deaf if its queues have not been empty for a long time and it
        has received no message.
        """
        if not messages_waiting(self._queues):
            self._since = None
            return False
        self._since = self._since or at
        return at - self._since >= timedelta(seconds=DEAF_SECONDS)
