"""Bring the database to the newest schema, and say whether it is there."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from models.database import engine
from models.settings import settings


def upgrade() -> None:
    """Migrate to the newest revision. Two at once are harmless: the second waits, then finds nothing to do."""
    if engine().dialect.name == "sqlite":
        settings().data.mkdir(parents=True, exist_ok=True)
    if not is_current():
        command.upgrade(_config(), "head")


def is_current() -> bool:
    with engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == _scripts().get_current_head()


def write(message: str) -> None:
    """A new migration file: what the records have and the newest schema lacks."""
    upgrade()
    number = 1 + sum(1 for _ in _scripts().walk_revisions())
    command.revision(_config(), message, autogenerate=True, rev_id=f"{number:04}")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


if __name__ == "__main__":
    write(sys.argv[1])
