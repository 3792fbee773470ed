"""`greenroom key`: the keys that programs use."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import click

from service.commands.database import checked

_BY = "the command line"


@click.group()
def key() -> None:
    """Manage API keys."""


@key.command("create")
@click.option(
    "--site",
    "site_key",
    metavar="KEY",
    help="The site that the key is for; not with the scope metrics.",
)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["read", "moderate", "admin", "post", "metrics"]),
    multiple=True,
    required=True,
    help=(
        "May be repeated. admin includes moderate, and moderate includes read. post: post on "
        "behalf of readers and pass their IP addresses. metrics: read /metrics for all sites."
    ),
)
@click.option("--name", default="", help="A name for the key in lists and in the log.")
@click.option(
    "--expires",
    metavar="TIME",
    help="When the key expires: 90d, 12h or 2027-01-31. Default: never.",
)
@click.option(
    "--learn",
    is_flag=True,
    help="The site's models learn from this key's decisions, as from those of moderators.",
)
def create_key(
    site_key: str | None, scopes: tuple[str, ...], name: str, expires: str | None, *, learn: bool
) -> None:
    """Create a key and print it. It is not shown again."""
    if (site_key is None) != ("metrics" in scopes):
        raise click.UsageError("Give a site with --site, except for the scope metrics.")
    with _keys() as (api_keys, session):
        site_id = api_keys.site_id_of(session, site_key) if site_key else None
        until = api_keys.parsed_expiry(expires) if expires else None
        new = api_keys.NewKey(scopes, name, until, learn)
        made = api_keys.create(session, site_id, new, by=_BY)
    click.echo(made.key)


@key.command("list")
@click.option("--site", "site_key", metavar="KEY", help="List only the keys of this site.")
@click.option("--all", "ended", is_flag=True, help="Also list revoked and expired keys.")
def list_keys(site_key: str | None, ended: bool) -> None:
    """List the keys that work, newest first, one per line. Each line begins with the key's id."""
    with _keys() as (api_keys, session):
        for line in api_keys.lines(session, site_key, ended=ended):
            click.echo(line)


@key.command("revoke")
@click.argument("id_", metavar="ID")
def revoke_key(id_: str) -> None:
    """Revoke the key ID immediately and permanently."""
    with _keys() as (api_keys, session):
        api_keys.revoke(session, api_keys.any_key(session, id_), by=_BY)


@key.command("rotate")
@click.argument("id_", metavar="ID")
@click.option(
    "--overlap",
    "hours",
    type=click.FloatRange(0, 720),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="How long the old key keeps working.",
)
def rotate_key(id_: str, hours: float) -> None:
    """Print a new key that replaces the key ID. It has the same name, scopes and lifetime."""
    from datetime import timedelta

    with _keys() as (api_keys, session):
        row = api_keys.any_key(session, id_)
        made = api_keys.rotate(session, row, by=_BY, overlap=timedelta(hours=hours))
    click.echo(made.key)


@contextmanager
def _keys() -> Iterator[tuple[ModuleType, Any]]:
    """Yield the functions for keys, in a transaction. A refusal is printed with its own message."""
    with checked():
        from models.store.database import begin
        from service.people import api_keys

        with begin() as session:
            yield api_keys, session
