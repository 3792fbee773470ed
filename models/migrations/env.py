"""How Alembic reaches the database: through the same engine as everything else."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

import models.records  # noqa: F401 — the schema is whole only with every table imported
from models.database import Base, Moment, engine

LOCK = 0x677265656E  # "green", the advisory lock that lets one migration run at a time


def render(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Migrations stand on SQLAlchemy's own types, so that an old one still runs when our classes have moved on."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def migrate() -> None:
    connection = engine().connect()
    if connection.dialect.name == "sqlite":
        connection = connection.execution_options(changing=True)
    with connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            context.run_migrations()


migrate()
