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

_SCORE = click.option(
    "--score",
    type=click.Choice(["spam", "abuse"]),
    default="spam",
    show_default=True,
    help="The score whose models to manage.",
)


@click.group()
def model() -> None:
    """Manage the models that learned from a site's moderators."""


@model.command("list")
@_SITE
@_SCORE
def list_models(site_key: str, score: str) -> None:
    """List the stored models, newest first, and show which one is live."""
    from models.settling.settling import LEARN_EVERY
    from models.store.database import reading
    from service.sites.model_versions import listed

    need_database()
    with reading() as session:
        found = listed(session, site_id_of(session, site_key), score)
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
@_SCORE
def use(version: str, site_key: str, score: str) -> None:
    """Use VERSION to score comments from now on; "base" is the base model alone."""
    from service.sites.model_versions import use as change

    _changed(site_key, lambda session, site_id: change(session, site_id, version, score))


@model.command()
@_SITE
@_SCORE
def back(site_key: str, score: str) -> None:
    """Go back to the previous model."""
    from service.sites.model_versions import back as change

    _changed(site_key, lambda session, site_id: change(session, site_id, score))


@model.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@_SITE
def learning(state: str, site_key: str) -> None:
    """Turn the training of the site's models on or off."""
    from models.store.database import begin
    from service.sites.model_versions import set_learning

    need_database()
    with begin() as session:
        site_id = site_id_of(session, site_key)
        set_learning(session, site_id, learns=state == "on", by="the command line")
    click.echo(f"Learning is {state} for {site_key}.")


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
