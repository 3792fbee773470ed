"""Migrate the database to the newest schema.

A migration runs while processes of the previous release still work, so it only adds, and inserts
may leave out the new columns. The next release removes what a release no longer uses ("Contract:
…"). Each step can be repeated, so a migration that was killed continues when it is started again
(`models/migrations/repeatable.py`).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from models.settings import settings
from models.store.database import engine
from models.store.schema import current, refuse_a_newer, revisions

TRIES = 5
PAUSE_SECONDS = 2.0
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code


class Locked(Exception):
    """Raised if others hold a lock that a migration needs; the message says what to do."""


def upgrade(to: str = "head") -> None:
    """Migrate to the newest revision, or to an earlier one. If two processes migrate at once, the
    second waits for the first.

    A migration waits only briefly for a table that is in use, because all other users would queue
    up behind it, and tries again. Raises `Locked` when the last try has failed; the database then
    has only complete migrations. Raises `Newer` for a database that a later release has migrated.
    """
    if engine().dialect.name == "sqlite":
        settings().data.mkdir(parents=True, exist_ok=True)
        _make_file(engine().url.database)
    if current() == (revisions()[-1] if to == "head" else to):
        return
    refuse_a_newer()
    for more in reversed(range(TRIES)):
        try:
            command.upgrade(_config(), to)
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            if not more:
                raise Locked(
                    "Another transaction has locked a table that must change. End it, then run "
                    "`greenroom migrate` again."
                ) from None
        time.sleep(PAUSE_SECONDS)


def _make_file(name: str | None) -> None:
    """Create the file so that only its owner can read it, because it holds unpublished comments and
    sessions. SQLite gives the files beside it the same permissions.
    """
    if name and name != ":memory:" and not name.startswith("file:"):
        Path(name).touch(mode=0o600)


def write(message: str) -> None:
    """Write a new migration file with the difference between the records and the newest schema."""
    upgrade()
    number = 1 + len(revisions())
    command.revision(_config(), message, autogenerate=True, rev_id=f"{number:04}")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return config


if __name__ == "__main__":
    write(sys.argv[1])
