"""A migration that was stopped at any step is finished by the next one."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, DateTime, Integer, MetaData, text
from sqlalchemy.types import TypeEngine

from models.failpoints import STATUS
from models.migrations import repeatable
from models.store.database import Base, engine
from models.store.migrate import upgrade
from models.store.schema import is_current, revisions
from tests.greenroom import GREENROOM
from tests.models.migrations.test_migrations import empty, schema

__all__ = ["empty"]  # a fixture
AT = datetime(2026, 1, 1, tzinfo=UTC)
COMMENT, DECISION, REVIEW = (f"01a221f7-8667-765a-aa50-e1082ff1865{n}" for n in range(3))
# One decided comment, and one that waits, as the first release stored them.
ROWS: dict[str, dict[str, Any]] = {
    "sites": {"id": 1, "key": "demo", "policy": {}},
    "threads": {"id": 1, "site_id": 1, "key": "/harbour"},
    "comments": {
        "id": COMMENT,
        "site_id": 1,
        "thread_id": 1,
        "top_id": COMMENT,
        "status": "flagged",
        "body": "The ferry was late.",
        "html": "<p>The ferry was late.</p>",
    },
    "decisions": {"id": DECISION, "comment_id": COMMENT, "by": "someone", "becomes": "flagged"},
    "reviews": {"id": REVIEW, "site_id": 1, "comment_id": COMMENT, "cause": "flagged"},
}


class Died(BaseException):
    """Raised instead of ending the process: nothing of ours catches it."""


class Death:
    """Die at the `step`-th statement that changes the schema or the rows."""

    def __init__(self, step: int) -> None:
        self._left = step

    def __call__(self, _point: str) -> None:
        self._left -= 1
        if not self._left:
            raise Died


def fill() -> None:
    """Insert the rows, with a value for each column that must not be empty."""
    tables = MetaData()
    tables.reflect(engine())
    with engine().begin() as connection:
        for name, row in ROWS.items():
            columns = tables.tables[name].columns
            needed = {column.name: blank(column.type) for column in columns if not column.nullable}
            connection.execute(
                tables.tables[name].insert(), needed | {key: fitting(row[key]) for key in row}
            )


def blank(kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, DateTime):
        return AT
    if isinstance(kind, JSON):
        return []
    return False if isinstance(kind, Boolean) else 0 if isinstance(kind, Integer) else ""


def fitting(value: Any) -> Any:
    """Return the identifier for SQLite, which stores it without hyphens."""
    is_id = isinstance(value, str) and len(value) == 36
    return value.replace("-", "") if is_id and engine().dialect.name == "sqlite" else value


def killed_at_each_step(to: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Migrate and die one step later each time, with the remains of the deaths before. Return the
    number of deaths.
    """
    step = 0
    while True:
        step += 1
        monkeypatch.setattr(repeatable, "failpoint", Death(step))
        try:
            upgrade(to)
        except Died:
            continue
        return step - 1


def assert_rows_are_taken_along() -> None:
    with engine().connect() as connection:
        assert connection.execute(text("SELECT site_id FROM decisions")).scalar_one() == 1
        assert connection.execute(text("SELECT fresh_decisions FROM sites")).scalar_one() == 1
        assert connection.execute(text("SELECT due_at FROM reviews")).scalar_one() is not None
        if engine().dialect.name == "sqlite":
            found = "SELECT count(*) FROM searched_words WHERE searched_words MATCH 'ferry'"
            assert connection.execute(text(found)).scalar_one() == 1


def assert_schema_is_the_records_own() -> None:
    resumed = schema()
    with engine().begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
    assert schema() == resumed


@pytest.fixture
def filled(empty: None) -> None:
    """A database with rows of the first release."""
    upgrade(revisions()[0])
    fill()


def test_a_migration_that_is_killed_at_each_of_its_steps_continues(
    filled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = sum(killed_at_each_step(revision, monkeypatch) for revision in revisions()[1:])
    assert deaths > 40
    assert is_current()
    assert_rows_are_taken_along()
    assert_schema_is_the_records_own()


def test_a_migration_whose_processes_were_killed_is_finished_by_another(
    filled: None,
) -> None:
    """Each continues where the one before it died."""
    migrate = [*GREENROOM, "migrate"]
    for step in (3, 27):
        dying = {**os.environ, "GREENROOM_FAILPOINT": f"migration_step:{step}"}
        died = subprocess.run(migrate, env=dying, capture_output=True, check=False)
        assert died.returncode == STATUS
        assert not is_current()
    done = subprocess.run(migrate, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert is_current()
    assert_rows_are_taken_along()
    assert_schema_is_the_records_own()


@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_an_index_that_was_not_finished_is_built_again(filled: None) -> None:
    """PostgreSQL leaves an invalid index behind when `CREATE INDEX CONCURRENTLY` is cancelled."""
    upgrade(revisions()[3])
    with engine().begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :before"), {"before": revisions()[2]}
        )
        unfinished = text(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = cast(:name AS regclass)"
        )
        for name in ("ix_comments_unread", "ix_comments_words"):
            connection.execute(unfinished, {"name": name})
    upgrade()
    with engine().connect() as connection:
        invalid = connection.execute(
            text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        ).scalar_one()
    assert invalid == 0
    assert_schema_is_the_records_own()
