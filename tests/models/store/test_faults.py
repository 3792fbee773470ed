"""Errors of a store are explained in one sentence that quotes nothing; other errors are not."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from pathlib import Path

import obstore
import psycopg
import pytest
from kombu.exceptions import OperationalError as BrokerError
from obstore.exceptions import GenericError, UnauthenticatedError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from models.store.faults import in_words
from models.store.storage import CLIENT, RETRY
from tests.fakes.postgres import PostgreSQL
from tests.greenroom import free_port


def sql(cause: BaseException, kind: type[DBAPIError] = OperationalError) -> DBAPIError:
    return kind("SELECT 'what Ann wrote'", None, cause)


SAID = [
    # PostgreSQL's codes tell what happened to a connection or a statement.
    (sql(psycopg.errors.AdminShutdown("terminating connection")), "the database is shutting down"),
    (sql(psycopg.errors.TooManyConnections()), "the database has no free connection"),
    (
        sql(psycopg.errors.ReadOnlySqlTransaction(), DBAPIError),
        "the database is read-only: it may be a standby",
    ),
    (
        sql(psycopg.errors.UndefinedTable(), ProgrammingError),
        "the database lacks a table: run `greenroom migrate`",
    ),
    # If there is no code that we know, the database is down.
    (sql(psycopg.OperationalError("consuming input failed")), "the database does not respond"),
    (OperationalError("SELECT", None, Exception("closed")), "the database does not respond"),
    # Errors that only a wrong statement can cause are not the store's.
    (sql(psycopg.errors.SyntaxError("what Ann wrote"), ProgrammingError), None),
    (sql(psycopg.errors.UniqueViolation("what Ann wrote"), DBAPIError), None),
    # An object store.
    (UnauthenticatedError("for path what/Ann/wrote"), "the storage rejects the credentials"),
    (GenericError("503 Service Unavailable"), "the storage does not respond"),
    (
        FileNotFoundError("404 Not Found: <Error><Code>NoSuchBucket</Code>"),
        "there is no such bucket",
    ),
    (FileNotFoundError("404 Not Found: <Error><Code>NoSuchKey</Code>"), None),
    # A folder.
    (OSError(errno.ENOSPC, "No space left on device", "/what/Ann/wrote"), "the disk is full"),
    (
        PermissionError(errno.EACCES, "Permission denied"),
        "this user has no permission to write there",
    ),
    # The broker.
    (
        BrokerError("Error 111 connecting. Connection refused."),
        "nothing is listening at the broker's address",
    ),
    (BrokerError("Timeout reading from socket"), "the broker does not respond in time"),
    (
        BrokerError("command not allowed when used memory > 'maxmemory'."),
        "the broker's memory is full",
    ),
    (BrokerError("something new"), "the broker does not respond"),
    # Errors that are only our own.
    (ValueError("what Ann wrote"), None),
]


@pytest.mark.parametrize(
    ("error", "words"), SAID, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_error_is_explained(error: BaseException, words: str | None) -> None:
    assert in_words(error) == words


def raised_by(url: str, statement: str = "SELECT 1", **options: object) -> str | None:
    """Return the explanation of the error that is really raised."""
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    with pytest.raises(DBAPIError) as raised, engine.begin() as connection:
        connection.execute(text(statement))
    return in_words(raised.value)


def test_errors_of_sqlite_are_explained(tmp_path: Path) -> None:
    file = f"sqlite:///{tmp_path / 'a'}"
    assert (
        raised_by(f"sqlite:///{tmp_path / 'nowhere' / 'a'}") == "the database file can't be opened"
    )
    assert (
        raised_by(file, "SELECT 1 FROM sites")
        == "the database lacks a table: run `greenroom migrate`"
    )
    with contextlib.closing(sqlite3.connect(tmp_path / "a")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert (
            raised_by(file, "CREATE TABLE b (c)", timeout=0)
            == "another process has locked the database file"
        )


def test_errors_of_postgresql_are_explained(postgres: PostgreSQL) -> None:
    url = postgres.url().replace("postgresql://", "postgresql+psycopg://")
    assert (
        raised_by(f"{url}_of_another")
        == "the database server has no database or user with that name"
    )
    assert (
        raised_by(url, "SELECT 1 FROM sites")
        == "the database lacks a table: run `greenroom migrate`"
    )
    assert (
        raised_by(url, "SELECT pg_terminate_backend(pg_backend_pid())")
        == "the database is shutting down"
    )
    nobody = url.replace(str(postgres.port), str(free_port()))
    assert raised_by(nobody) == "nothing is listening at the database's address"


def test_errors_of_an_object_store_are_explained() -> None:
    told = {"access_key_id": "key", "secret_access_key": "secret", "region": "us-east-1"}
    told["endpoint"] = f"http://127.0.0.1:{free_port()}"
    store = obstore.store.S3Store("paper", client_options=CLIENT, retry_config=RETRY, **told)  # type: ignore[arg-type]
    with pytest.raises(GenericError) as raised:
        obstore.put(store, "health", b"")
    assert in_words(raised.value) == "nothing is listening at the storage's address"
