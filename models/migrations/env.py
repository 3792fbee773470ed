"""Connects Alembic to the database through the same engine as everything else."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, Connection

import models.records  # noqa: F401 — the schema is whole only with every table imported
from models.migrations import repeatable  # noqa: F401 — Alembic finds its classes by their dialect
from models.store.database import Base, Moment, engine
from models.store.search import is_of_the_records

LOCK = 0x677265656E  # "green": the advisory lock that lets only one migration run at a time
PAUSE_SECONDS = 0.1
LOCK_SECONDS = 3  # how long to wait for a table; others queue up behind this wait


def render(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Render SQLAlchemy's own types, so that an old migration still runs after our classes have
    changed.
    """
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def _wait_for_others(connection: Connection) -> None:
    """Wait for another process's migration to end, however long it takes. This asks again and again
    instead of waiting inside one statement, because `CREATE INDEX CONCURRENTLY` waits for every
    open statement.
    """
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
        connection.commit()
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _alone() -> Iterator[None]:
    """Run alone on SQLite, under a lock of the folder that ends with the process. SQLite locks only
    one transaction, and each migration is a transaction: a process that waited for the first
    migration would otherwise run it again.
    """
    if engine().dialect.name != "sqlite":
        yield
        return
    folder = os.open(Path(engine().url.database or "").parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def migrate() -> None:
    """Run each migration in its own transaction, so that a migration can leave it, as `CREATE INDEX
    CONCURRENTLY` requires.
    """
    with _alone(), engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execution_options(changing=True)
        else:
            _wait_for_others(connection)
            connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            render_as_batch=True,
            render_item=render,
            include_name=is_of_the_records,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.invalidate()  # closing the connection releases the lock and the time-out


migrate()
