"""Engine and sessions: `reading()` to look, `begin()` to change."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from models.settings import settings

BUSY_SECONDS = 10  # how long another process may hold SQLite's write lock before a request gives up


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
    """A time with zone, always UTC. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        assert value is None or isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class FairLock:
    """A lock that is handed on in the order it was asked for.

    SQLite's own waiting is a lottery of sleeps: one of 16 threads was seen to wait 3.7 s for its turn.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


@cache
def _engine_of(pid: int) -> Engine:
    """One engine a process: a connection must not be carried over a fork."""
    url = settings().sqlalchemy_url
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_pre_ping=True, pool_size=settings().web_threads, connect_args={"connect_timeout": 3}
        )
    built = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=settings().web_threads + 2)

    @event.listens_for(built, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is said below, so that it can be IMMEDIATE
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(built, "begin")
    def _begin(connection: Any) -> None:
        changing = connection.get_execution_options().get("changing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if changing else "BEGIN")

    return built


def engine() -> Engine:
    return _engine_of(os.getpid())


@cache
def _turn_of(pid: int) -> FairLock:
    return FairLock()


@contextmanager
def reading() -> Iterator[Session]:
    """A session to look with; nothing it does is kept."""
    with Session(engine(), expire_on_commit=False, autoflush=False) as session:
        yield session


@contextmanager
def begin() -> Iterator[Session]:
    """A session whose changes are committed together when the block ends, or not at all when it raises."""
    if engine().dialect.name != "sqlite":
        with Session(engine(), expire_on_commit=False) as session, session.begin():
            yield session
        return
    changing = engine().execution_options(changing=True)
    with _turn_of(os.getpid()), Session(changing, expire_on_commit=False) as session, session.begin():
        yield session


def insert_new(record: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An insert that leaves alone what is there already. Give it rows when executing it on the session's connection."""
    return _insert_new(record.__tablename__, engine().dialect.name)


@cache
def _insert_new(table: str, dialect: str) -> postgresql.Insert | sqlite.Insert:
    into = Base.metadata.tables[table]
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(into).on_conflict_do_nothing()


def now() -> datetime:
    return datetime.now(UTC)
