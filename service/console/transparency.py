"""The transparency report of a site as a page, and as CSV and JSON."""

from __future__ import annotations

from datetime import date

from flask import Response, render_template, request
from sqlalchemy import select

from models.records import Site
from models.store.database import now, reading
from service.console import words
from service.console.blueprint import console, looking
from service.console.quality import chosen_site
from service.http.problems import Problem
from service.http.responses import json_response
from service.moderation.transparency import (
    Period,
    Transparency,
    as_csv,
    period,
    transparency,
)


@console.get("/transparency")
def transparency_page() -> str:
    """Show the report of a site; without a choice, of the first one that the moderator may see."""
    who = looking()
    site, when = chosen_site(who.sites), _period()
    return render_template(
        "console/transparency.html",
        who=who,
        site=site,
        report=_report(site, when),
        words=words,
    )


@console.get("/transparency.csv")
def export_transparency() -> Response:
    site = chosen_site(looking().sites)
    table = as_csv(_report(site, _period()))
    return Response(table, headers=_file(site, "csv"), content_type="text/csv; charset=utf-8")


@console.get("/transparency.json")
def export_transparency_as_json() -> Response:
    site = chosen_site(looking().sites)
    return json_response(_report(site, _period()), headers=_file(site, "json"))


def _file(site: str, kind: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename=greenroom-transparency-{site}.{kind}"}


def _period() -> Period:
    first, last = (_day(name) for name in ("from", "to"))
    try:
        return period(first, last, now().date())
    except ValueError as error:
        raise Problem(422, str(error)) from None


def _day(name: str) -> date | None:
    given = request.args.get(name, "")
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise Problem(422, "Write a day as in 2026-03-31.") from None


def _report(site: str, when: Period) -> Transparency:
    with reading(of_one_moment=True) as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar_one()
        return transparency(session, site_id, when)
