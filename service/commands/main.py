"""The `greenroom` command. What is heavy is imported by the command that needs it, so that `--help`
answers at once.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

# The model's commands and those of operations: imported when one of them is called, and only then.
LAZY = {
    "backup": (
        "service.commands.operations",
        "Write everything into one file, while the service runs.",
    ),
    "doctor": (
        "service.commands.operations",
        "Check what must be true of the data, and say what mends it.",
    ),
    "evaluate": ("service.commands.model", "Measure the spam model on threads it has not seen."),
    "keys": ("service.commands.operations", "The keys that addresses are sealed with."),
    "model": (
        "service.commands.site_model",
        "The models that learned from a site's own moderators.",
    ),
    "publish": ("service.commands.operations", "Write the pages of threads anew."),
    "restore": ("service.commands.operations", "Fill an empty database from a backup."),
    "secrets": (
        "service.commands.operations",
        "The keys of this installation, as JSON for a Secret.",
    ),
    "train": ("service.commands.model", "Train the spam model."),
    "webhook": ("service.commands.webhook", "What helps to build a webhook's receiver."),
}


class Commands(click.Group):
    """Loads some commands when they are asked for, and says in one line what a person can put
    right.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """For the list of commands a name and a line are enough."""
        if cmd_name in LAZY:
            return click.Command(cmd_name, help=LAZY[cmd_name][1])
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name in LAZY:
            command = getattr(import_module(LAZY[name][0]), name)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except Exception as error:
            if words := _words(error):
                raise click.ClickException(words) from error
            raise


def _words(error: Exception) -> str | None:
    """The error as one line, if it is one that whoever typed the command can do something about."""
    kind = type(error).__module__.split(".")[0], type(error).__name__
    if kind == ("pydantic_core", "ValidationError"):
        return _wrong_settings(error)
    if kind in {
        ("service", "Refused"),
        ("service", "PortTaken"),
        ("models", "Locked"),
        ("models", "Newer"),
        ("models", "WrongKeys"),
        ("models", "UnknownKey"),
    }:
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return (
            f"{error.strerror}: {os.fsdecode(error.filename)}"
            if error.filename
            else f"{error.strerror}."
        )
    if kind in {
        ("sqlalchemy", "OperationalError"),
        ("sqlalchemy", "ArgumentError"),
        ("sqlalchemy", "NoSuchModuleError"),
    }:
        return (
            f"The database can't be reached: {str(getattr(error, 'orig', error)).splitlines()[0]}"
        )
    return None


def _wrong_settings(error: Any) -> str:
    wrong = error.errors()[0]
    said = str(wrong["msg"]).removeprefix("Value error, ")
    return f"GREENROOM_{str(wrong['loc'][0]).upper()}: {said}" if wrong["loc"] else said


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """Greenroom: where comments wait before they go live."""


@main.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes any.  [default: 8000]"
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of everything kept.  [default: var]",
)
def up(host: str | None, port: int | None, data: Path | None) -> None:
    """Run everything on this machine, until Ctrl-C."""
    from service.up import up as run

    _set(GREENROOM_HOST=host, GREENROOM_PORT=port, GREENROOM_DATA=data)
    run()


def _set(**variables: object) -> None:
    """Options count before variables, and reach the parts as variables."""
    from models.settings import settings

    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
    settings.cache_clear()


@main.command()
def serve() -> None:
    """Run the web process alone."""
    from service.gate.serving import serve as run
    from worker.lifeline import UP

    if (
        UP not in os.environ
    ):  # `up` has just migrated, and without SQLAlchemy this process stays small
        _refuse_an_older_database()
        _refuse_wrong_keys()
    run()


@main.command()
@click.option(
    "--queues",
    default="screen,publish,deliver,learn",
    show_default=True,
    help="What to work on, comma-separated.",
)
def worker(queues: str) -> None:
    """Run one worker alone."""
    from worker.working import work

    _refuse_an_older_database()
    _refuse_wrong_keys()
    work(queues)


@main.command()
@click.option(
    "--check", is_flag=True, help="Change nothing; exit with status 1 if the database is not there."
)
def migrate(check: bool) -> None:
    """Bring the database to the newest schema."""
    from models.store.keyring import refuse_missing_keys
    from models.store.migrate import upgrade
    from models.store.secrets import WrongKeys

    if not check:
        upgrade()
        try:
            refuse_missing_keys()
        except WrongKeys as error:  # a migration needs no keys, so its job may lack them
            click.echo(f"Warning: {error}", err=True)
    elif not is_ready():
        raise click.ClickException(
            "The database is not at the newest schema: run `greenroom migrate`."
        )


@main.command(hidden=True)
def prepare() -> None:
    """What `up` does before it starts the parts; prints the owner's email and password on the very
    first start.
    """
    from models.store.keyring import require_keys
    from models.store.migrate import upgrade
    from service.http.listening import public_url
    from service.people.accounts import OWNER, first_start
    from worker.lifeline import watch_up

    watch_up()
    upgrade()
    require_keys()
    _warn_of_readers()
    if password := first_start(public_url()):
        click.echo(f"{OWNER} {password}")


@main.group()
def site() -> None:
    """The sites whose comments wait here."""


@site.command("add")
@click.argument("key")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    required=True,
    metavar="URL",
    help="Where its pages are; may be repeated.",
)
@click.option(
    "--language",
    default="en",
    show_default=True,
    help="What its readers read where the page says nothing.",
)
def add_site(key: str, origins: tuple[str, ...], language: str) -> None:
    """Add the site KEY."""
    from service.sites import registering

    with _accounts():
        registering.add_site(key, list(origins), language)


@site.command("set")
@click.argument("key")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Replaces all it has; may be repeated.",
)
@click.option("--language", help="What its readers read where the page says nothing.")
def set_site(key: str, origins: tuple[str, ...], language: str | None) -> None:
    """Change the site KEY. A running Greenroom follows within seconds."""
    from service.sites import registering

    with _accounts():
        registering.set_site(key, list(origins), language)


@site.command("list")
def list_sites() -> None:
    """List the sites and their origins."""
    from service.sites import registering

    with _accounts():
        for key, origins in registering.list_sites():
            click.echo(f"{key}  {' '.join(origins)}")


@main.group()
def moderator() -> None:
    """The people who decide."""


@moderator.command("add")
@click.argument("email")
@click.option("--site", "site_key", required=True, metavar="KEY", help="The site to decide for.")
@click.option("--role", type=click.Choice(["owner", "moderator", "viewer"]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_moderator(email: str, site_key: str, role: str, password_stdin: bool) -> None:
    """Give EMAIL a role on a site. Prints a one-time password for a new account, unless one is
    given.
    """
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password == "":
        raise click.ClickException("No password came on standard input.")
    with _accounts() as accounts:
        made = accounts.add_moderator(email, site_key, role, password)
    if password:
        _warn_of_easy(password, email)
    if made and password is None:
        click.echo(f"One-time password, shown this once: {made}")
    elif password is None:
        click.echo(
            f"{email} has an account already and keeps its password. Its role on {site_key}: "
            f"{role}."
        )


def _warn_of_easy(password: str, email: str) -> None:
    from service.people import passwords

    if passwords.is_easy(password, email=email):
        click.echo("Warning: this password is one of those that are guessed first.", err=True)


@moderator.command("invite")
@click.argument("email")
@click.option("--site", "site_key", required=True, metavar="KEY", help="The site to decide for.")
@click.option("--role", type=click.Choice(["owner", "moderator", "viewer"]), required=True)
def invite_moderator(email: str, site_key: str, role: str) -> None:
    """Print a link by which EMAIL joins a site with a password of their own. It works for a week,
    once.
    """
    with _accounts():
        from service.people import tickets

        click.echo(tickets.invite(email, site_key, role, by="the command line"))


@moderator.command("reset")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a link by which EMAIL chooses a new password. It works for an hour, once."""
    with _accounts():
        from service.people import tickets

        click.echo(tickets.reset(email, by="the command line"))


@main.group()
def key() -> None:
    """The keys that programs use."""


@key.command("create")
@click.option("--site", "site_key", metavar="KEY", help="The site it opens; not for `metrics`.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["read", "moderate", "admin", "post", "metrics"]),
    multiple=True,
    required=True,
    help="May be repeated. admin includes moderate, which includes read. post: post for readers "
    "and pass their addresses. metrics: read /metrics, for all sites.",
)
@click.option("--name", default="", help="What the lists and the log call it.")
@click.option(
    "--expires", metavar="TIME", help="When it stops working: 90d, 12h or 2027-01-31; else never."
)
def create_key(
    site_key: str | None, scopes: tuple[str, ...], name: str, expires: str | None
) -> None:
    """Create a key and print it. It is not shown again."""
    if (site_key is None) != ("metrics" in scopes):
        raise click.UsageError("Name a site with --site, except for the scope metrics.")
    with _keys() as (keys, session):
        site_id = keys.site_id_of(session, site_key) if site_key else None
        new = keys.NewKey(scopes, name, keys.parsed_expiry(expires) if expires else None)
        made = keys.create(session, site_id, new, by=_BY)
    click.echo(made.key)


@key.command("list")
@click.option("--site", "site_key", metavar="KEY", help="Only the keys of this site.")
@click.option("--all", "ended", is_flag=True, help="Also the revoked and expired ones.")
def list_keys(site_key: str | None, ended: bool) -> None:
    """List the keys that work, newest first, each on a line that begins with its id."""
    with _keys() as (keys, session):
        for line in keys.lines(session, site_key, ended=ended):
            click.echo(line)


@key.command("revoke")
@click.argument("id_", metavar="ID")
def revoke_key(id_: str) -> None:
    """Revoke the key ID, at once and for good."""
    with _keys() as (keys, session):
        keys.revoke(session, keys.any_key(session, id_), by=_BY)


@key.command("rotate")
@click.argument("id_", metavar="ID")
@click.option(
    "--overlap",
    "hours",
    type=click.FloatRange(0, 720),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="How much longer the old key works.",
)
def rotate_key(id_: str, hours: float) -> None:
    """Print a new key that replaces the key ID, with the same name, scopes and lifetime."""
    from datetime import timedelta

    with _keys() as (keys, session):
        row = keys.any_key(session, id_)
        made = keys.rotate(session, row, by=_BY, overlap=timedelta(hours=hours))
    click.echo(made.key)


_BY = "the command line"


@contextmanager
def _keys() -> Iterator[tuple[ModuleType, Any]]:
    """The functions for keys, and the transaction that they are called in. A refusal is printed in
    its own words.
    """
    need_database()
    from models.store.database import begin
    from service.http.problems import Problem
    from service.people import keys

    try:
        with begin() as session:
            yield keys, session
    except Problem as problem:
        raise click.ClickException(
            problem.errors[0]["message"] if problem.errors else problem.detail
        ) from problem
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _accounts() -> Iterator[ModuleType]:
    """What changes sites, people and keys, on a database that is ready; what it refuses is said in
    its own words.
    """
    need_database()
    from service.people import accounts

    try:
        yield accounts
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def need_database(*, keys: bool = True) -> None:
    """Raises ClickException where there is none yet, or an older one, and `Newer` where it is ahead
    of this release.

    With `keys`: raises `WrongKeys` if the keys at hand are not this database's.
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


def _refuse_an_older_database() -> None:
    """What runs for long comes up while the database is away, and works beside a newer release:
    only that nobody has migrated it yet stands in the way. Raises ClickException.
    """
    from sqlalchemy.exc import OperationalError

    from models.store.schema import Newer

    with suppress(Newer, OperationalError):
        need_database(keys=False)


def _refuse_wrong_keys() -> None:
    """Raises `WrongKeys`. While the database is away, keys that are there are compared at their
    first use.
    """
    from sqlalchemy.exc import OperationalError

    from models.store.keyring import require_keys
    from models.store.secrets import secrets

    secrets()
    with suppress(OperationalError):
        require_keys()
    _warn_of_readers()


def _warn_of_readers() -> None:
    from models.store.secrets import readable_by_others

    if words := readable_by_others():
        click.echo(f"Warning: {words}", err=True)


def is_ready() -> bool:
    from models.store.schema import is_current

    return _is_there() and is_current()


def _is_there() -> bool:
    """Looked at with care: to open a database of SQLite's that is not there would make one."""
    from models.settings import settings

    place = settings().sqlalchemy_url.partition("sqlite:///")[2]
    return not place or Path(place).exists()


if __name__ == "__main__":
    main()
