"""A batch's questions as a table that a query can join.

All rows travel as one bound JSON value. A statement with a parameter for every field would be
compiled again for each batch, which took longer (12 ms for 100 rows) than the query itself. So each
check builds its statement once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import orjson
from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

Columns: TypeAlias = Mapping[str, TypeEngine[str] | TypeEngine[int] | TypeEngine[datetime]]
Value: TypeAlias = str | int | datetime
Question: TypeAlias = Mapping[str, Value]  # one row: a value for each column


def asked(dialect: str, columns: Columns) -> CTE:
    """Return the rows as a table of these columns, for a join. Build the statement once; `packed`
    provides the rows.
    """
    json = bindparam("asked", type_=Text)
    return (
        (_in_sqlite if dialect == "sqlite" else _in_postgresql)(json, columns)
        .cte("asked")
        .prefix_with("MATERIALIZED")
    )


def packed(dialect: str, rows: Iterable[Question]) -> dict[str, str]:
    """Return the parameters to execute such a statement with."""
    length = 26 if dialect == "sqlite" else None  # SQLite stores times as text without a zone
    sent = [{name: _plain(value, length) for name, value in row.items()} for row in rows]
    return {"asked": orjson.dumps(sent).decode()}


def dialect_of(session: Session) -> str:
    return session.get_bind().dialect.name


def _in_sqlite(json: ColumnElement[str], columns: Columns) -> Select[*tuple[Value, ...]]:
    row = func.json_each(json).table_valued("value").c.value
    return select(
        *(
            type_coerce(func.json_extract(row, f"$.{name}"), kind).label(name)
            for name, kind in columns.items()
        )
    )


def _in_postgresql(json: ColumnElement[str], columns: Columns) -> Select[*tuple[Value, ...]]:
    typed = [column(name, kind) for name, kind in columns.items()]
    records = (
        func.jsonb_to_recordset(cast(json, JSONB))
        .table_valued(*typed, name="row")
        .render_derived(with_types=True)
    )
    return select(*records.c)


def _plain(value: Value, length: int | None) -> str | int:
    return (
        value.astimezone(UTC).isoformat(" ", "microseconds")[:length]
        if isinstance(value, datetime)
        else value
    )
