"""Connections to PostgreSQL that stop waiting in time.

libpq waits for an answer as long as the TCP connection lives, and the kernel of a frozen server
keeps it alive. So each wait checks the clock. A wait that gives up closes its connection, and the
server then rolls back the transaction, unless it was waiting for a COMMIT.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple, Self, TypeVar

import psycopg
import structlog
from psycopg.abc import PQGen, PQGenConn
from psycopg.rows import TupleRow

from models.runtime import part
from models.store import deadlines

# When a statement has waited this long, a probe asks whether the database answers at all.
LOOK_SECONDS = 1.0
PROBE_SECONDS = 5.0  # for one probe, including its new connection
PAUSE_SECONDS = 0.5  # between two probes
IDLE_SECONDS = 10.0  # a probe ends if no statement has needed it for this long
TICK_SECONDS = 0.1  # how often a wait checks the clock

log = structlog.get_logger()
RV = TypeVar("RV")  # the final result of a psycopg step
Wanted = TypeVar("Wanted")  # what the step waits for
Ready = TypeVar("Ready")  # what the step got


class Unanswered(psycopg.OperationalError):
    """The database did not answer in time; the connection is closed."""


class Parameters(NamedTuple):
    """How to connect. Every option has its own type, and psycopg checks it."""

    arguments: Sequence[str]
    options: Mapping[str, Any]

    def connect(self) -> Connection:
        return Connection.connect(*self.arguments, **self.options)


class Probe:
    """Asks on its own connection whether the database answers, from the first doubt until it
    answers.
    """

    def __init__(self) -> None:
        self.unanswered_since: float | None = None
        self._asked_for = 0.0
        self._guard = threading.Lock()
        self._parameters: Parameters | None = None

    def learn(self, parameters: Parameters) -> None:
        """Learn how all other connections connect."""
        self._parameters = parameters

    def look(self) -> None:
        self._asked_for = monotonic()
        if self.unanswered_since is not None or self._parameters is None:
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
        assert self._parameters
        try:
            with deadlines.within(PROBE_SECONDS, patience=math.inf):
                connection = self._parameters.connect()
                try:
                    connection.execute("SELECT 1")
                finally:
                    connection.close()
        except psycopg.Error:
            return False
        return True


@part
def probe() -> Probe:
    """Return the probe of this process. Its thread does not survive a fork."""
    return Probe()


class Connection(psycopg.Connection[TupleRow]):
    """A connection on which every wait ends by its thread's deadline and patience."""

    def wait(
        self, gen: PQGen[RV], interval: float = TICK_SECONDS, timeout: float | None = None
    ) -> RV:
        try:
            return super().wait(_bounded(gen), interval, timeout)
        except Unanswered:
            self.close()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        return _bounded(super()._connect_gen(conninfo))


def connect(arguments: Sequence[str], options: Mapping[str, Any]) -> Connection:
    """Open a connection. While the database is down, raise `Unanswered` at once, before looking up
    any name.
    """
    parameters = Parameters(arguments, options)
    probe().learn(parameters)
    _give_up_late(deadlines.deadline())
    return parameters.connect()


def _bounded(waiting: Generator[Wanted, Ready, RV]) -> Generator[Wanted, Ready, RV]:
    """Run psycopg's own steps, and check the clock between them."""
    deadline = deadlines.deadline()
    _give_up_late(deadline)
    began = 0.0
    try:
        state = next(waiting)
        while True:
            ready = yield state
            if not ready:  # a tick passed without an answer
                began = began or monotonic() - TICK_SECONDS
                waited = monotonic() - began
                if waited >= LOOK_SECONDS:
                    probe().look()
                if waited >= deadlines.silence():
                    raise Unanswered("the database never responded to this statement")
                _give_up_late(deadline)
            state = waiting.send(ready)
    except StopIteration as done:
        result: RV = done.value
        return result


def _give_up_late(deadline: float) -> None:
    if deadline != math.inf and monotonic() >= deadline:
        raise Unanswered("the database did not respond in time")
    asked = probe()
    if asked.unanswered_since is not None and asked.is_away(deadlines.patience()):
        asked.look()
        raise Unanswered("the database does not respond")
