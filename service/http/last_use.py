"""Record when something was last used, seldom and after the answer, so that no request waits for
it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from flask import Response, after_this_request
from sqlalchemy import Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.store.database import begin, now

log = structlog.get_logger()


class LastUse:
    """The times at which this process last recorded a use, by id, so that it records at most one
    per `every`.
    """

    MOST = 10_000

    def __init__(self, every: timedelta) -> None:
        self.every = every
        self._at: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def note(
        self, id_: str, last_use: datetime | None, statement: Callable[[datetime], Update]
    ) -> None:
        """Run the statement that records a use at this time, unless a recent one is recorded."""
        at = now()
        if (last_use is None or at - last_use >= self.every) and self._is_due(id_, at):
            _after_the_answer(partial(_write, statement(at)))

    def _is_due(self, id_: str, at: datetime) -> bool:
        with self._lock:
            last = self._at.get(id_)
            if last is not None and at - last < self.every:
                return False
            if len(self._at) >= self.MOST:
                self._at.clear()
            self._at[id_] = at
            return True


def _after_the_answer(work: Callable[[], None]) -> None:
    @after_this_request
    def work_when_closed(answer: Response) -> Response:
        answer.call_on_close(work)
        return answer


def _write(statement: Update) -> None:
    """Unsynced, because a lost record only makes the last use look earlier."""
    try:
        with begin(synced=False) as session:
            session.execute(statement)
    except (DBAPIError, PoolTimeout) as error:
        log.warning("use.not_noted", error=type(error).__name__)
