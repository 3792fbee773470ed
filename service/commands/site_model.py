"""`greenroom model`: the models that learned from a site's moderators, and going back to an earlier
one.
"""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from service.commands.database import need_database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.sites.model_versions import Models

_SITE = click.option(
    "--site", "site_key", required=True, metavar="KEY", help="The site whose models to manage."
)


@click.group()
def model() -> None:
    """Manage the spam models that learned from a site's moderators."""


@model.command("list")
@_SITE
def list_models(site_key: str) -> None:
    """List the stored models, newest first, and show which one is live."""
    from models.settling.settling import LEARN_EVERY
    from models.store.database import reading
    from service.sites.model_versions import listed

    need_database()
    with reading() as session:
        found = listed(session, site_id_of(session, site_key))
    if not found["models"]:
        click.echo(
            f"The base model scores {site_key}. Greenroom trains a model for the site after "
            f"{LEARN_EVERY} decisions by moderators."
        )
        return
    Console().print(_table(found))


@model.command()
@click.argument("version")
@_SITE
def use(version: str, site_key: str) -> None:
    """Use VERSION to score comments from now on; "base" is the base model alone."""
    from service.sites.model_versions import use as change

    _changed(site_key, lambda session, site_id: change(session, site_id, version))


@model.command()
@_SITE
def back(site_key: str) -> None:
    """Go back to the previous model."""
    from service.sites.model_versions import back as change

    _changed(site_key, change)


def _changed(site_key: str, change: Callable[[Session, int], str]) -> None:
    from models.store.database import begin

    need_database()
    with begin() as session, _in_plain_words():
        version = change(session, site_id_of(session, site_key))
    click.echo(f"{version} scores the comments of {site_key} from now on.")


@contextmanager
def _in_plain_words() -> Iterator[None]:
    from service.sites.model_versions import NoSuchModel

    try:
        yield
    except NoSuchModel as error:
        raise click.ClickException(str(error)) from error


def site_id_of(session: Session, site_key: str) -> int:
    from sqlalchemy import select

    from models.records import Site

    found: int | None = session.execute(select(Site.id).where(Site.key == site_key)).scalar()
    if found is None:
        raise click.ClickException(f"There is no site {site_key!r}.")
    return found


def _table(found: Models) -> Table:
    table = Table(title=f"Live now: {found['live']}", title_justify="left")
    for name in (
        "version",
        "made",
        "decisions",
        "rejected found",
        "approved held",
        "replaced",
        "why",
    ):
        table.add_column(name, overflow="fold")
    for card in found["models"]:
        figures, decisions = card["figures"], card["decisions"]
        table.add_row(
            f"{card['version']}{' ←' if card['live'] else ''}",
            card["made"][:16].replace("T", " "),
            f"{decisions['approved'] + decisions['rejected']}",
            f"{figures['rejected found']:.1%}",
            f"{figures['approved held']:.1%}",
            card["parent"],
            card["why"],
        )
    return table
