"""The schema that migrations make is the one the records describe."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from models.database import Base, engine
from models.migrate import is_current, upgrade


def test_migrations_and_records_agree(data: Path) -> None:
    with engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrating_again_changes_nothing(data: Path) -> None:
    assert is_current()
    upgrade()
    assert is_current()
