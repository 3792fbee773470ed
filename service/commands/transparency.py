"""`greenroom transparency`: the figures of a site's transparency report."""

# ruff: noqa: PLC0415 — imported by the command that needs it

from __future__ import annotations

from datetime import datetime

import click

from service.commands.database import checked

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--site", "site_key", required=True, metavar="KEY", help="The site to report on.")
@click.option("--from", "first", type=DAY, help="The first day.  [default: a year before --to]")
@click.option("--to", "last", type=DAY, help="The last day.  [default: today]")
@click.option("--format", "kind", type=click.Choice(["json", "csv"]), default="json")
def transparency(site_key: str, first: datetime | None, last: datetime | None, kind: str) -> None:
    """Print what a site restricted and why, and what became of appeals, as JSON."""
    import orjson

    from models.store.database import now, reading
    from service.commands.site_model import site_id_of
    from service.moderation import transparency as report

    with checked():
        when = report.period(first and first.date(), last and last.date(), now().date())
        with reading(of_one_moment=True) as session:
            found = report.transparency(session, site_id_of(session, site_key), when)
    if kind == "csv":
        click.echo(report.as_csv(found), nl=False)
    else:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
