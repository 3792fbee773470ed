"""`greenroom moderator`: the people who moderate."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

import sys

import click

from service.commands.database import checked


@click.group()
def moderator() -> None:
    """Manage moderators."""


@moderator.command("add")
@click.argument("email")
@click.option("--site", "site_key", required=True, metavar="KEY", help="The site to moderate.")
@click.option("--role", type=click.Choice(["owner", "moderator", "viewer"]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_moderator(email: str, site_key: str, role: str, password_stdin: bool) -> None:
    """Give EMAIL a role on a site. For a new account, print a one-time password unless you give
    one.
    """
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password == "":
        raise click.ClickException("No password on standard input.")
    from service.people import accounts

    with checked():
        made = accounts.add_moderator(email, site_key, role, password)
    if made and password is None:
        click.echo(f"One-time password, shown only once: {made}")
    elif password is None:
        click.echo(
            f"{email} already has an account and keeps its password. Role on {site_key}: {role}."
        )


@moderator.command("invite")
@click.argument("email")
@click.option("--site", "site_key", required=True, metavar="KEY", help="The site to moderate.")
@click.option("--role", type=click.Choice(["owner", "moderator", "viewer"]), required=True)
def invite_moderator(email: str, site_key: str, role: str) -> None:
    """Print a link that lets EMAIL join a site and choose a password. It works once and
    expires after a week.
    """
    with checked():
        from service.people import tickets

        click.echo(tickets.invite(email, site_key, role, by="the command line"))


@moderator.command("reset")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a link that lets EMAIL choose a new password. It works once and expires after an
    hour.
    """
    with checked():
        from service.people import tickets

        click.echo(tickets.reset(email, by="the command line"))
