"""Connections to PostgreSQL that give up.

libpq waits for an answer for as long as the TCP connection lives, and the kernel of a frozen server
keeps it alive. So each wait looks at the clock. A wait that was cut closes its connection: what the
server does with the transaction later ends in a rollback, unless the wait was for a COMMIT.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg
import structlog

from models.runtime import part
from models.store import deadlines

# a statement without an answer for so long makes us ask whether the database answers anybody
LOOK_SECONDS = 1.0
PROBE_SECONDS = 5.0  # the most for one such question, a new connection included
PAUSE_SECONDS = 0.5  # between two of them
IDLE_SECONDS = 10.0  # a probe that nobody asks for any more ends
TICK_SECONDS = 0.1  # how often a wait looks at the clock

log = structlog.get_logger()


class Unanswered(psycopg.OperationalError):
    """The database did not answer in the time there was; the connection is closed."""


class Probe:
    """Asks, on a connection of its own, whether the database answers, from when somebody doubts it
    until it does.
    """

    def __init__(self) -> None:
        self.unanswered_since: float | None = None
        self._asked_for = 0.0
        self._guard = threading.Lock()
        self._how: tuple[Any, Any] | None = None

    def learn(self, arguments: Any, options: Any) -> None:
        """How to connect: the way everybody does."""
        self._how = arguments, options

    def look(self) -> None:
        self._asked_for = monotonic()
        if self.unanswered_since is not None or self._how is None:
            return
        with self._guard:
            if self.unanswered_since is not None:
                return
            self.unanswered_since = monotonic()
        threading.Thread(target=self._until_answered, name="probe", daemon=True).start()

    def is_away(self, patience: float) -> bool:
        since = self.unanswered_since
        return since is not None and monotonic() - since >= patience

    def _until_answered(self) -> None:
        began = monotonic()
        pause = threading.Event()
        while not self._answers() and monotonic() - self._asked_for < IDLE_SECONDS:
            pause.wait(PAUSE_SECONDS)
        self.unanswered_since = None
        if (seconds := monotonic() - began) > deadlines.WEB_PATIENCE:
            log.warning("database.silent", seconds=round(seconds, 1))

    def _answers(self) -> bool:
        assert self._how
        arguments, options = self._how
        try:
            with deadlines.within(PROBE_SECONDS, patience=math.inf):
                connection = Connection.connect(*arguments, **options)
                try:
                    connection.execute("SELECT 1")
                finally:
                    connection.close()
        except psycopg.Error:
            return False
        return True


@part
def probe() -> Probe:
    """This process's own: threads do not survive a fork."""
    return Probe()


class Connection(psycopg.Connection[Any]):
    """A connection whose every wait is bounded by the deadline and the patience of the thread that
    waits.
    """

    def wait(self, gen: Any, interval: float = TICK_SECONDS, timeout: float | None = None) -> Any:
        try:
            return super().wait(_bounded(gen), interval, timeout)
        except Unanswered:
            self.close()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Any:
        return _bounded(super()._connect_gen(conninfo))


def connect(arguments: Any, options: Any) -> Connection:
    """A new connection. Raises `Unanswered` at once, before any name is looked up, while the
    database is away.
    """
    probe().learn(arguments, options)
    _give_up_late(deadlines.deadline())
    return Connection.connect(*arguments, **options)


def _bounded(waiting: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The same steps of psycopg's; between them, the clock."""
    deadline = deadlines.deadline()
    _give_up_late(deadline)
    began = 0.0
    try:
        state = next(waiting)
        while True:
            ready = yield state
            if not ready:  # psycopg tells so at each tick without an answer
                began = began or monotonic() - TICK_SECONDS
                waited = monotonic() - began
                if waited >= LOOK_SECONDS:
                    probe().look()
                if waited >= deadlines.silence():
                    raise Unanswered("the database never answered this statement")
                _give_up_late(deadline)
            state = waiting.send(ready)
    except StopIteration as done:
        return done.value


def _give_up_late(deadline: float) -> None:
    if deadline != math.inf and monotonic() >= deadline:
        raise Unanswered("the database did not answer in time")
    asked = probe()
    if asked.unanswered_since is not None and asked.is_away(deadlines.patience()):
        asked.look()
        raise Unanswered("the database answers nobody")
