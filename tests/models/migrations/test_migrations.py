"""Migrations lead to the schema that the records describe, from any start and on both databases."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from models.settings import settings
from models.store import migrate
from models.store.database import Base, engine
from models.store.migrate import upgrade
from models.store.schema import VERSIONS, current, is_current, revisions
from models.store.search import is_of_the_records
from tests.conftest import forget
from tests.fakes.postgres import PostgreSQL
from tests.greenroom import GREENROOM


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """An empty database."""
    monkeypatch.setenv("GREENROOM_DATA", str(tmp_path))
    if request.param == "sqlite":
        monkeypatch.delenv("GREENROOM_DATABASE_URL", raising=False)
        settings.cache_clear()
        yield
        forget()
        return
    server: PostgreSQL = request.getfixturevalue("postgres")
    with server.database("empty") as url:
        monkeypatch.setenv("GREENROOM_DATABASE_URL", url)
        settings.cache_clear()
        yield
        forget()


def schema() -> dict[str, Any]:
    """Return everything in a schema, including the conditions of partial indexes, which Alembic
    does not compare.
    """
    looked = inspect(engine())
    tables = set(looked.get_table_names()) - {"alembic_version"}
    with engine().connect() as connection:
        indexes = connection.execute(text(_INDEXES[engine().dialect.name])).all()
    return {
        "columns": {
            (table, column["name"], str(column["type"]), column["nullable"], column["default"])
            for table in tables
            for column in looked.get_columns(table)
        },
        "keys": {(table, str(looked.get_pk_constraint(table))) for table in tables},
        "foreign keys": {
            (table, str(key)) for table in tables for key in looked.get_foreign_keys(table)
        },
        "unique": {
            (table, str(key)) for table in tables for key in looked.get_unique_constraints(table)
        },
        "indexes": {
            " ".join(definition.split()) for (definition,) in indexes if "alembic" not in definition
        },
    }


_INDEXES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_a_database_in_a_file_is_its_owners_alone_to_read(empty: None, tmp_path: Path) -> None:
    upgrade()
    with engine().connect():
        files = list(tmp_path.glob("greenroom.db*"))
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_migrations_and_records_agree(data: Path) -> None:
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_of_the_records})
        assert compare_metadata(context, Base.metadata) == []


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, Any]]:
    """The schema of the records by kind of database, so that it is made only once for each."""
    return {}


def _of_the_records() -> dict[str, Any]:
    """Replace the tables by those of the records, and return their schema."""
    with engine().begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
    return schema()


@pytest.mark.parametrize("start", [None, *revisions()])
def test_every_earlier_schema_migrates_to_that_of_the_records(
    empty: None, described: dict[str, dict[str, Any]], start: str | None
) -> None:
    if start:
        upgrade(start)
        assert current() == start
    upgrade()
    assert is_current()
    migrated = schema()
    kind = engine().dialect.name
    if kind not in described:
        described[kind] = _of_the_records()
    for part, of_records in described[kind].items():
        assert migrated[part] == of_records, part


def test_the_revisions_are_those_that_alembic_finds_in_its_order() -> None:
    found = ScriptDirectory(VERSIONS.parent).walk_revisions()
    assert [script.revision for script in found][::-1] == revisions()


def test_migrating_again_changes_nothing(data: Path) -> None:
    assert is_current()
    before = schema()
    upgrade()
    assert schema() == before


def test_several_that_migrate_at_once_wait_for_the_first(empty: None) -> None:
    started = [
        subprocess.Popen([*GREENROOM, "migrate"], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert is_current()


def test_check_says_by_its_exit_status_whether_there_is_something_to_do(empty: None) -> None:
    check = [*GREENROOM, "migrate", "--check"]
    before = subprocess.run(check, capture_output=True, text=True, check=False)
    assert before.returncode == 1
    assert "run `greenroom migrate`" in before.stderr
    upgrade()
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("empty", ["postgresql"], indirect=True)
def test_a_table_in_use_is_not_waited_for_and_the_next_try_finds_it_free(
    empty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "TRIES", 1)
    with psycopg.connect(settings().database_url) as other:
        other.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        other.commit()
        other.execute("LOCK alembic_version IN EXCLUSIVE MODE")
        with pytest.raises(migrate.Locked, match="End it, then run `greenroom migrate` again"):
            upgrade()
        assert current() is None
    upgrade()
    assert is_current()


# Changes that would break an old process with the new schema, or lock a large table while it is
# rewritten.
SHRINKS = {
    r"op\.drop_|op\.rename_|new_column_name": "takes away what the release before may still use",
    r"nullable=False(?!.*server_default)": "asks for a value that the release before does not give",
    r"create_index\((?!.*postgresql_concurrently=True)": "locks a table while it is indexed",
}


def dangers(source: str) -> list[str]:
    """Return what is wrong with a migration that runs beside the previous release. A new table may
    have any columns.
    """
    steps = re.split(
        r"\n    (?=\w)", source.partition("def upgrade()")[2].partition("def downgrade()")[0]
    )
    return [
        why
        for step in steps
        for danger, why in SHRINKS.items()
        if re.search(danger, step, re.S) and not _is_new(step)
    ]


def _is_new(step: str) -> bool:
    return step.startswith("op.create_table(")


def test_every_migration_after_the_first_only_expands_unless_it_says_that_it_contracts() -> None:
    for path in sorted(VERSIONS.glob("0*.py"))[1:]:
        source = path.read_text(encoding="utf-8")
        assert source.startswith('"""Contract: ') or dangers(source) == [], path.name


@pytest.mark.parametrize(
    ("step", "is_dangerous"),
    [
        ('op.create_table("moods", sa.Column("id", sa.Integer(), nullable=False))', False),
        ('op.add_column("comments", sa.Column("mood", sa.String(20), nullable=True))', False),
        ('op.add_column("comments", sa.Column("mood", sa.String(20), nullable=False))', True),
        (
            (
                'op.add_column("comments", sa.Column("mood", sa.String(20), nullable=False, '
                'server_default=""))'
            ),
            False,
        ),
        ('op.drop_column("comments", "mood")', True),
        ('op.alter_column("comments", "mood", new_column_name="temper")', True),
        ('op.create_index("ix_comments_mood", "comments", ["mood"])', True),
        (
            (
                'op.create_index("ix_comments_mood", "comments", ["mood"], '
                "postgresql_concurrently=True)"
            ),
            False,
        ),
    ],
)
def test_characters_that_count_as_expanding(step: str, is_dangerous: bool) -> None:
    source = f"def upgrade() -> None:\n    {step}\n\n\ndef downgrade() -> None:\n    pass\n"
    assert bool(dangers(source)) == is_dangerous
