"""A batch's questions travel as one JSON value and come back as a table, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from sqlalchemy import Integer, String, select

from models.store.database import Moment, reading
from worker.checks.batch_table import Columns, asked, dialect_of, packed

COLUMNS: Columns = {"n": Integer(), "who": String(), "at": Moment()}
NOON = datetime(2026, 3, 3, 12, 0, 0, 250_000, tzinfo=UTC)


def read_back(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with reading() as session:
        dialect = dialect_of(session)
        table = asked(dialect, COLUMNS)
        statement = select(table.c.n, table.c.who, table.c.at).order_by(table.c.n)
        return [tuple(row) for row in session.execute(statement, packed(dialect, rows))]


@pytest.mark.usefixtures("records")
def test_rows_come_back_with_their_types() -> None:
    rows = [{"n": 1, "who": "ann", "at": NOON}, {"n": 2, "who": "bob", "at": NOON}]
    assert read_back(rows) == [(1, "ann", NOON), (2, "bob", NOON)]


@pytest.mark.usefixtures("records")
def test_no_rows_are_an_empty_table() -> None:
    assert read_back([]) == []


@pytest.mark.usefixtures("records")
def test_a_value_that_is_none_is_null() -> None:
    assert read_back([{"n": 1, "who": None, "at": None}]) == [(1, None, None)]


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize(
    "text",
    [
        'it\'s "quoted"',
        "back\\slash",
        "$.n",
        "'); DROP TABLE comments; --",
        "näive 🙂",
        "",
        "line\nbreak",
    ],
)
def test_no_text_can_break_out_of_its_field(text: str) -> None:
    assert read_back([{"n": 1, "who": text, "at": NOON}]) == [(1, text, NOON)]


@pytest.mark.usefixtures("records")
def test_a_time_of_another_zone_is_the_same_moment() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert read_back([{"n": 1, "who": "ann", "at": there}]) == [(1, "ann", NOON)]


def test_sqlite_gets_times_in_its_own_format() -> None:
    """SQLite compares them as text, so every time needs all of its 26 characters."""
    whole = NOON.replace(microsecond=0)
    [row] = orjson.loads(packed("sqlite", [{"at": whole}])["asked"])
    assert row == {"at": "2026-03-03 12:00:00.000000"}


def test_postgresql_gets_times_with_their_zone() -> None:
    [row] = orjson.loads(packed("postgresql", [{"at": NOON}])["asked"])
    assert row == {"at": "2026-03-03 12:00:00.250000+00:00"}
