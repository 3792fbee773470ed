"""Which revision the database has, and which revisions this release knows.

Every command and every long-running process asks this. It works without Alembic, because importing
Alembic takes longer than running a command.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import inspect, text

from models.store.database import engine

VERSIONS = Path(__file__).parents[1] / "migrations" / "versions"
REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)


class Newer(Exception):
    """Raised if the database is newer than this release; the message says what to do."""


def current() -> str | None:
    """Return the revision of the database, or None if it is empty."""
    with engine().connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        at: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return at


def revisions() -> list[str]:
    """Return all revisions, the oldest first, in the order of the migration files."""
    files = sorted(VERSIONS.glob("[0-9]*.py"))
    return [
        found[1] for file in files if (found := REVISION.search(file.read_text(encoding="utf-8")))
    ]


def is_current() -> bool:
    return current() == revisions()[-1]


def is_empty() -> bool:
    """Whether the database was never migrated. Raises `Newer` for a database that a later release
    has migrated.
    """
    refuse_a_newer()
    return current() is None


def refuse_a_newer() -> None:
    """Raise `Newer` for a database that a later release has migrated."""
    at = current()
    if at is not None and at not in revisions():
        raise Newer(
            f"The database's schema, {at}, comes from a newer release of Greenroom. Run that "
            "release."
        )
