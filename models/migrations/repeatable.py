"""Every step of a migration can be repeated, so that one that was killed goes on where it stopped.

PostgreSQL builds an index beside its users only outside a transaction, so a migration that does is
committed in parts. What a killed one left behind is passed over here, for all migrations: tables,
columns and indexes that are there. An index that was not finished is dropped and built again.
Statements of a migration's own (`op.execute`) must be repeatable by themselves;
`tests/models/migrations/test_killed.py` dies at each of them.
"""

from __future__ import annotations

from typing import Any

from alembic.ddl.impl import DefaultImpl
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.ddl.sqlite import SQLiteImpl
from sqlalchemy import Column, Index, Table, inspect, text

from models.failpoints import failpoint

_IS_VALID = text(
    "SELECT i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
    " WHERE c.relname = :name AND c.relnamespace = current_schema()::regnamespace"
)


class _Repeatable(DefaultImpl):
    """How Alembic changes a schema; comes before the class of the database's dialect."""

    def create_table(self, table: Table, **options: object) -> None:
        if not inspect(self.connection).has_table(table.name):
            super().create_table(table, **options)
            return
        for index in table.indexes:
            self.create_index(index)

    def add_column(self, table_name: str, column: Column[Any], **options: Any) -> None:
        there = inspect(self.connection).get_columns(table_name)
        if column.name not in {each["name"] for each in there}:
            super().add_column(table_name, column, **options)

    def create_index(self, index: Index, **options: object) -> None:
        assert index.table is not None
        there = {each["name"] for each in inspect(self.connection).get_indexes(index.table.name)}
        if index.name in there and self._drop_unfinished(index):
            there.remove(index.name)
        if index.name not in there:
            super().create_index(index, **options)

    def _drop_unfinished(self, index: Index) -> bool:
        """Drop the index if it is not valid: whoever built it was stopped, or found a table that
        was in use.
        """
        return False

    def _exec(self, *statement: Any, **options: Any) -> Any:
        done = super()._exec(*statement, **options)
        failpoint("migration_step")
        return done


class RepeatableSQLite(_Repeatable, SQLiteImpl):
    """Alembic finds it by its dialect, and uses it in place of its own."""

    __dialect__ = "sqlite"


class RepeatablePostgreSQL(_Repeatable, PostgresqlImpl):
    """Alembic finds it by its dialect, and uses it in place of its own."""

    __dialect__ = "postgresql"

    def _drop_unfinished(self, index: Index) -> bool:
        assert self.connection is not None
        if self.connection.execute(_IS_VALID, {"name": index.name}).scalar():
            return False
        how = "CONCURRENTLY " if index.dialect_options["postgresql"]["concurrently"] else ""
        self._exec(text(f'DROP INDEX {how}IF EXISTS "{index.name}"'))
        return True
