"""`greenroom site`: adding, changing and listing sites."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

import click

from service.commands.database import checked


@click.group()
def site() -> None:
    """Manage sites."""


@site.command("add")
@click.argument("key")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    required=True,
    metavar="URL",
    help="Origin of the site's pages, like https://paper.example; may be repeated.",
)
@click.option(
    "--language",
    default="en",
    show_default=True,
    help="Language for readers if the page does not set one.",
)
def add_site(key: str, origins: tuple[str, ...], language: str) -> None:
    """Add the site KEY."""
    from service.sites import registering

    with checked():
        registering.add_site(key, list(origins), language)


@site.command("set")
@click.argument("key")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Replaces all current origins; may be repeated.",
)
@click.option("--language", help="Language for readers if the page does not set one.")
@click.option(
    "--require-second-factor/--no-second-factor",
    "second_factor",
    default=None,
    help="Require a second factor from everyone on the site, or stop requiring it.",
)
def set_site(
    key: str, origins: tuple[str, ...], language: str | None, second_factor: bool | None
) -> None:
    """Change the site KEY. A running Greenroom picks up the change within seconds."""
    from service.people import required_factor
    from service.sites import registering

    with checked():
        if second_factor is not None:
            required_factor.require_on(key, second_factor, by="the command line")
        if origins or language or second_factor is None:
            registering.set_site(key, list(origins), language)


@site.command("list")
def list_sites() -> None:
    """List the sites and their origins."""
    from service.sites import registering

    with checked():
        for key, origins in registering.list_sites():
            click.echo(f"{key}  {' '.join(origins)}")
