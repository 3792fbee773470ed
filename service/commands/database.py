"""What a command checks about the database and the keys before it begins."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click


@contextmanager
def checked() -> Iterator[None]:
    """Require a ready database, and print the message of a ValueError or Problem as the command's
    error.
    """
    need_database()
    try:
        yield
    except Exception as error:
        words = _words_of(error)
        if words is None:
            raise
        raise click.ClickException(words) from error


def _words_of(error: Exception) -> str | None:
    if isinstance(error, ValueError):
        return str(error)
    from service.http.problems import Problem

    if not isinstance(error, Problem):
        return None
    return error.errors[0]["message"] if error.errors else error.detail


def need_database(*, keys: bool = True) -> None:
    """Raise ClickException if there is no database yet, or an older one, and `Newer` if it is ahead
    of this release.

    With `keys`, raise `WrongKeys` if the keys are not this database's.
    """
    if is_ready():
        if keys:
            from models.store.keyring import require_keys

            require_keys()
        return
    from models.store.schema import is_empty

    if not _is_there() or is_empty():
        raise click.ClickException(
            "There is no database yet: start `greenroom up` or run `greenroom migrate` first."
        )
    raise click.ClickException("The database has an older schema: run `greenroom migrate` first.")


def refuse_an_older_database() -> None:
    """Refuse only a database that nobody has migrated yet. Long-running processes also start while
    the database is down, and work with a newer release's database. Raises ClickException.
    """
    from sqlalchemy.exc import OperationalError

    from models.store.schema import Newer

    with suppress(Newer, OperationalError):
        need_database(keys=False)


def refuse_wrong_keys() -> None:
    """Compare the keys with the database's. While the database is down, they are compared at their
    first use. Raises `WrongKeys`.
    """
    from sqlalchemy.exc import OperationalError

    from models.store.keyring import require_keys
    from models.store.secrets import secrets

    secrets()
    with suppress(OperationalError):
        require_keys()
    warn_of_readers()


def warn_of_readers() -> None:
    from models.store.secrets import readable_by_others

    if words := readable_by_others():
        click.echo(f"Warning: {words}", err=True)


def is_ready() -> bool:
    from models.store.schema import is_current

    return _is_there() and is_current()


def _is_there() -> bool:
    """Check carefully: opening a SQLite database that does not exist would create one."""
    from models.settings import settings

    place = settings().sqlalchemy_url.partition("sqlite:///")[2]
    return not place or Path(place).exists()
