"""The `greenroom` command. Heavy modules are imported by the command that needs them, so that
`--help` answers at once.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from models.garbage import collect_often, collect_seldom
from service.commands.database import (
    is_ready,
    refuse_an_older_database,
    refuse_wrong_keys,
    warn_of_readers,
)

# Commands that are imported only when one of them is called: their module, and their line of help.
LAZY = {
    "backup": (
        "service.commands.operations",
        "Back up everything to one file while the service runs.",
    ),
    "doctor": (
        "service.commands.operations",
        "Check the data and print the command that fixes each problem.",
    ),
    "evaluate": (
        "service.commands.model",
        ("Measure the spam model on threads that it has not seen."),
    ),
    "key": ("service.commands.key", "Manage API keys."),
    "keys": ("service.commands.operations", "Manage the keys that encrypt email addresses."),
    "model": (
        "service.commands.site_model",
        "Manage the spam models that learned from a site's moderators.",
    ),
    "moderator": ("service.commands.moderator", "Manage moderators."),
    "publish": ("service.commands.operations", "Rewrite the pages of threads."),
    "restore": ("service.commands.operations", "Restore a backup into an empty database."),
    "secrets": (
        "service.commands.operations",
        "Manage the keys of this installation.",
    ),
    "site": ("service.commands.site", "Manage sites."),
    "sso": ("service.commands.sso", "Manage the secrets of a site's own sign-on."),
    "train": ("service.commands.model", "Train the spam model."),
    "transparency": (
        "service.commands.transparency",
        "Print the figures of a site's transparency report.",
    ),
    "webhook": ("service.commands.webhook", "Receive webhooks on this machine, to try them out."),
}


class Commands(click.Group):
    """Loads some commands only when they are called, and prints errors that a person can fix as one
    line.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The list of commands needs only a name and a line of help."""
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
        collect_seldom()
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except Exception as error:
            if words := _words(error):
                raise click.ClickException(words) from error
            raise


def _words(error: Exception) -> str | None:
    """Return the error as one line, if the person who typed the command can do something about
    it.
    """
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
    """Greenroom moderates comments before they go live."""


@main.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free port.  [default: 8000]",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder.  [default: var]",
)
def up(host: str | None, port: int | None, data: Path | None) -> None:
    """Run everything on this machine until you press Ctrl-C."""
    from service.up import up as run

    _set(GREENROOM_HOST=host, GREENROOM_PORT=port, GREENROOM_DATA=data)
    collect_often()
    run()


def _set(**variables: object) -> None:
    """Set options as variables, so that the parts get them. Options override variables."""
    from models.settings import settings

    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
    settings.cache_clear()


@main.command()
def serve() -> None:
    """Run only the web process."""
    from service.gate.serving import serve as run
    from worker.lifeline import UP

    if (
        UP not in os.environ
    ):  # `up` has just migrated, and without SQLAlchemy this process stays small
        refuse_an_older_database()
        refuse_wrong_keys()
    run()


@main.command()
@click.option(
    "--queues",
    default="screen,publish,deliver,learn",
    show_default=True,
    help="Queues to work on, comma-separated.",
)
def worker(queues: str) -> None:
    """Run only one worker."""
    from worker.working import work

    refuse_an_older_database()
    refuse_wrong_keys()
    work(queues)


@main.command()
@click.option(
    "--check",
    is_flag=True,
    help="Change nothing; exit with status 1 if the database is not at the newest schema.",
)
def migrate(check: bool) -> None:
    """Upgrade the database to the newest schema."""
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
    """Do what `up` needs before it starts the parts. Print the owner's email and password at the
    very first start.
    """
    from models.store.keyring import require_keys
    from models.store.migrate import upgrade
    from service.http.listening import public_url
    from service.people.accounts import OWNER, first_start
    from worker.lifeline import watch_up

    watch_up()
    upgrade()
    require_keys()
    warn_of_readers()
    if password := first_start(public_url()):
        click.echo(f"{OWNER} {password}")


if __name__ == "__main__":
    main()
