"""The engine and its sessions: `reading()` reads, `begin()` changes."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache

import orjson
from sqlalchemy import (
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Insert,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as WaitedTooLong
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from models.runtime import inherited, part
from models.settings import settings
from models.store import deadlines

# Evidence is written with every screening: the standard library's json took a third of that write.
JSON: dict[str, Callable[..., object]] = {
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}

# How long to wait for another transaction's lock, unless the thread has an earlier deadline.
BUSY_SECONDS = 10
# How long a thread waits for a connection. A process has one for each of its threads.
POOL_SECONDS = 3

# Options for psycopg, unless the URL sets them. They detect within seconds that the server
# disappeared; TCP's defaults take hours. If a process of ours stops inside a transaction,
# PostgreSQL releases its locks after a minute.
POSTGRESQL = {
    "application_name": "greenroom",
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s",
}


# Overwrite deleted content with zeros (`models/store/scrubbing.py` does the rest).
SQLITE = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-2000",
    "secure_delete=ON",
)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """A column type for a time in UTC. SQLite stores no time zone, and PostgreSQL answers in the
    server's own.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:
        assert value is None or isinstance(value, datetime)
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class OutcomeUnknown(OperationalError):
    """The connection was lost during COMMIT: the database may have committed, or may yet do so."""


class FairLock:
    """A lock that threads get in the order in which they asked for it.

    SQLite itself waits by sleeping at random: one of 16 threads waited 3.7 s for its turn. Raises
    `WaitedTooLong` if the turn does not come before the thread's deadline, or never can.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False
        self._owner = 0

    @property
    def is_mine(self) -> bool:
        """Whether this thread holds the lock."""
        return self._owner == threading.get_ident()

    def __enter__(self) -> None:
        if self.is_mine:
            raise WaitedTooLong(
                "this thread has the database's lock already, and would wait for itself"
            )
        self._wait()
        self._owner = threading.get_ident()

    def _wait(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=min(deadlines.seconds_left(), threading.TIMEOUT_MAX)):
            return
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise WaitedTooLong("other threads of this process kept the database's lock")
        # The turn came between the deadline and our look. The lock is ours, and the code that
        # follows checks the deadline.

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._owner = 0
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def _new_engine() -> Engine:
    url, threads = make_url(settings().sqlalchemy_url), settings().database_threads
    if url.get_backend_name() != "sqlite":
        return _postgresql(url, threads)
    built = create_engine(
        url,
        **JSON,
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=threads,
        pool_timeout=POOL_SECONDS,
    )

    event.listen(built, "connect", _prepare_sqlite)
    event.listen(built, "begin", _begin_sqlite)
    return built


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` begins, so that it can be IMMEDIATE
    for pragma in SQLITE:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    asked = connection.get_execution_options()
    _wait_no_longer_than_allowed(connection)
    if not asked.get("changing"):
        _run(connection, "BEGIN")
        return
    _run(connection, f"PRAGMA synchronous={asked.get('synchronous', 'FULL')}")
    _run(connection, "BEGIN IMMEDIATE")


def _wait_no_longer_than_allowed(connection: Connection) -> None:
    """Tell SQLite how long to wait for another process's lock. The time is rounded up to half
    seconds, so that the setting seldom changes.
    """
    seconds = min(BUSY_SECONDS, math.ceil(2 * min(deadlines.seconds_left(), BUSY_SECONDS)) / 2)
    if connection.info.get("busy_seconds", BUSY_SECONDS) != seconds:
        _run(connection, f"PRAGMA busy_timeout={round(seconds * 1000)}")
        connection.info["busy_seconds"] = seconds


def _run(connection: Connection, statement: str) -> None:
    """Execute a statement that begins a transaction on SQLite's own connection. SQLAlchemy's
    `exec_driver_sql` takes 0.05 ms longer, three times for each comment that is screened.
    """
    own = connection.connection.driver_connection
    assert isinstance(own, sqlite3.Connection)
    try:
        own.execute(statement)
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error


def _postgresql(url: URL, threads: int) -> Engine:
    """Return an engine whose connections give up waiting: see `models/store/postgresql.py`."""
    # psycopg is imported only by those who use PostgreSQL.
    from models.store.postgresql import connect  # noqa: PLC0415

    told = {name: value for name, value in POSTGRESQL.items() if name not in url.query}
    built = create_engine(
        url,
        **JSON,
        connect_args=told,
        pool_size=threads,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_use_lifo=True,
    )

    @event.listens_for(built, "do_connect")
    def _connect(
        _dialect: object, _record: object, arguments: Sequence[str], options: Mapping[str, object]
    ) -> object:
        return connect(arguments, options)

    event.listen(built, "handle_error", _judge)
    return built


def _judge(failure: ExceptionContext) -> None:
    """Decide which connections a failure on PostgreSQL closes."""
    cause = type(failure.original_exception).__name__
    if cause == "Unanswered":
        # The other connections may be well, and the pool tests each before its use.
        failure.invalidate_pool_on_disconnect = False
    elif cause == "ReadOnlySqlTransaction":
        # The primary became a standby: connect again, to the new primary.
        failure.is_disconnect = True


def _without_connections(parents: Engine) -> None:
    """Drop the connections after a fork, because they must not be shared. Keep the compiled
    statements: they are most of the cost of a forked process's first transactions.
    """
    parents.dispose(close=False)


@inherited(_without_connections)
def engine() -> Engine:
    """Return the engine of this process. No thread uses two connections at once, so the pool is as
    large as the number of threads.
    """
    return _new_engine()


@part
def _turn() -> FairLock:
    return FairLock()


def is_writing() -> bool:
    """Whether this thread is in a transaction that writes to SQLite, so that it must not begin
    another.
    """
    return engine().dialect.name == "sqlite" and _turn().is_mine


@contextmanager
def reading(*, of_one_moment: bool = False) -> Iterator[Session]:
    """Open a session for reading; nothing it does is committed.

    With `of_one_moment`, all its statements see the same state. On SQLite they always do; on
    PostgreSQL each statement otherwise sees the newest state.
    """
    with Session(engine(), expire_on_commit=False, autoflush=False) as session:
        if of_one_moment and engine().dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


@contextmanager
def begin(*, synced: bool = True) -> Iterator[Session]:
    """Open a session whose changes are committed together when the block ends, or not at all if it
    raises.

    Use `synced=False` for notes about work that is repeated if they are lost. Other transactions
    see them at once, and they survive the death of a process, but the commit does not wait for the
    disk, so a power cut may lose the latest of them. It never loses a synced commit, not even one
    that built on such notes: both databases write all commits to one log in their order, and a
    synced commit waits until the log is on the disk up to its own end.

    https://www.sqlite.org/pragma.html#pragma_synchronous

    https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    if engine().dialect.name != "sqlite":
        with Session(engine(), expire_on_commit=False) as session:
            if not synced:
                session.connection().exec_driver_sql("SET LOCAL synchronous_commit TO off")
            yield session
            session.flush()
            _commit(session)
        return
    with (
        _turn(),
        Session(_changing(engine(), synced), expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@lru_cache(maxsize=4)  # making it for each transaction takes 0.09 ms
def _changing(sqlite_engine: Engine, synced: bool) -> Engine:
    """Return the same engine, but with transactions that take the write lock at once."""
    return sqlite_engine.execution_options(
        changing=True, synchronous="FULL" if synced else "NORMAL"
    )


@contextmanager
def writing_alone() -> Iterator[sqlite3.Connection]:
    """Yield SQLite's own connection, outside a transaction, while no other thread of this process
    writes.
    """
    with _turn(), closing(engine().raw_connection()) as pooled:
        own = pooled.driver_connection
        assert isinstance(own, sqlite3.Connection)
        yield own


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise OutcomeUnknown(
                "COMMIT", None, error.orig or error, connection_invalidated=True
            ) from error
        raise


def insert_new(record: type[Base], *returning: str) -> Insert:
    """Return an INSERT that skips rows that exist already. Execute it with the rows on the
    session's connection.

    With `returning` it returns those columns of each new row, because not every driver counts rows.
    """
    return _insert_new(record.__tablename__, engine().dialect.name, returning)


@cache
def _insert_new(table: str, dialect: str, returning: tuple[str, ...]) -> Insert:
    into = Base.metadata.tables[table]
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    new: Insert = insert(into).on_conflict_do_nothing()
    return new.returning(*(into.c[column] for column in returning)) if returning else new.inline()


def now() -> datetime:
    return datetime.now(UTC)
