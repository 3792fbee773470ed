"""Makes every step of a migration repeatable, so that a migration that was killed can continue.

PostgreSQL builds an index without blocking writers only outside a transaction, so such a migration
is committed in parts. For all migrations, this module skips what a killed migration left behind:
tables, columns and indexes that already exist. It drops an unfinished index and builds it again. A
migration's own statements (`op.execute`) must be repeatable by themselves;
`tests/models/migrations/test_killed.py` kills a migration at each of them.
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
    """Changes a schema for Alembic in repeatable steps. Comes before the class of the database's
    dialect.
    """

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
        """Drop the index if it is not valid, because the process that built it was killed or found
        the table in use.
        """
        return False

    def _exec(self, *statement: Any, **options: Any) -> Any:
        done = super()._exec(*statement, **options)
        failpoint("migration_step")
        return done


class RepeatableSQLite(_Repeatable, SQLiteImpl):
    """Alembic finds this class by its dialect and uses it instead of its own."""

    __dialect__ = "sqlite"


class RepeatablePostgreSQL(_Repeatable, PostgresqlImpl):
    """Alembic finds this class by its dialect and uses it instead of its own."""

    __dialect__ = "postgresql"

    def _drop_unfinished(self, index: Index) -> bool:
        assert self.connection is not None
        if self.connection.execute(_IS_VALID, {"name": index.name}).scalar():
            return False
        how = "CONCURRENTLY " if index.dialect_options["postgresql"]["concurrently"] else ""
        self._exec(text(f'DROP INDEX {how}IF EXISTS "{index.name}"'))
        return True
