"""The revision of the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from models.store import schema
from models.store.database import begin


def set_revision(revision: str) -> None:
    with begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": revision})


def test_a_migrated_database_is_at_the_newest_revision(data: Path) -> None:
    assert schema.current() == schema.revisions()[-1]
    assert schema.is_current()
    assert not schema.is_empty()


def test_revisions_are_numbered_without_a_gap() -> None:
    revisions = schema.revisions()
    assert [each[:4] for each in revisions] == [
        f"{number:04}" for number in range(1, len(revisions) + 1)
    ]


def test_an_older_database_is_not_current_and_is_accepted(data: Path) -> None:
    set_revision(schema.revisions()[0])
    assert not schema.is_current()
    schema.refuse_a_newer()


def test_a_newer_database_is_refused_with_what_to_do(data: Path) -> None:
    set_revision("9999")
    with pytest.raises(schema.Newer, match="schema, 9999, comes from a newer release"):
        schema.refuse_a_newer()
    with pytest.raises(schema.Newer):
        schema.is_empty()


def test_a_database_that_was_never_migrated_is_empty(data: Path) -> None:
    with begin() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert schema.current() is None
    assert schema.is_empty()
    assert not schema.is_current()
