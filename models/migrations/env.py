"""How Alembic reaches the database: through the same engine as everything else."""

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

LOCK = 0x677265656E  # "green", the advisory lock that lets one migration run at a time
PAUSE_SECONDS = 0.1
LOCK_SECONDS = 3  # how long a table may be waited for, while everyone who wants it waits behind


def render(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Migrations stand on SQLAlchemy's own types, so that an old one still runs when our classes
    have moved on.
    """
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def _wait_for_others(connection: Connection) -> None:
    """For another's migration to end, as long as it takes. Asked for again and again, for who waits
    inside a statement is what `CREATE INDEX CONCURRENTLY` waits for in its turn.
    """
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
        connection.commit()
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _alone() -> Iterator[None]:
    """SQLite locks a transaction, and there is one for each migration: who waited for the first
    would then begin with it once more. So the whole is done under a lock of the folder, which ends
    with the process.
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
    """Each migration is a transaction of its own, so that one may leave it: `CREATE INDEX
    CONCURRENTLY` has to.
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
            connection.invalidate()  # the lock and the time-out end with the connection


migrate()
