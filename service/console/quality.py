"""How often the automatic decisions of a site are wrong: a page with a sentence to print, charts
and tables, and the same as CSV.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from flask import Response, render_template, request
from sqlalchemy import select

from models.records import Site
from models.store.database import now, reading
from service.console import words
from service.console.blueprint import console, looking
from service.console.charts import bars, curves
from service.http.problems import Problem
from service.sites.quality import MONTHS, MOST_MONTHS, Quality, Span, quality, span
from service.sites.quality_csv import as_csv

CHOICES = (3, 6, MONTHS, MOST_MONTHS)  # months


@console.get("/quality")
def quality_page() -> str:
    """Show the quality of a site; without a choice, of the first one that the moderator may see."""
    who = looking()
    if not who.sites:
        raise Problem(404, "You have no role on any site.")
    site, months = chosen_site(who.sites), _months()
    found = _quality(site, months)
    return render_template(
        "console/quality.html",
        who=who,
        site=site,
        months=months,
        choices=CHOICES,
        quality=found,
        passed=bars((row["name"], row["wrongly_passed"]) for row in found["months"]),
        held=bars((row["name"], row["good_held"]) for row in found["months"]),
        learning=curves(found["models"]),
        words=words,
    )


@console.get("/quality.csv")
def export_quality() -> Response:
    site = chosen_site(looking().sites)
    table = as_csv(_quality(site, _months()))
    headers = {"Content-Disposition": f"attachment; filename=greenroom-quality-{site}.csv"}
    return Response(table, headers=headers, content_type="text/csv; charset=utf-8")


def chosen_site(sites: Collection[str]) -> str:
    site = request.args.get("site") or min(sites, default="")
    if site not in sites:
        raise Problem(404, "There is no such site.")
    return site


def _months() -> int:
    chosen = request.args.get("months", type=int)
    return chosen if chosen in CHOICES else MONTHS


def _quality(site: str, months: int) -> Quality:
    with reading(of_one_moment=True) as session:
        site_id = session.execute(select(Site.id).where(Site.key == site)).scalar_one()
        return quality(session, site_id, _last(months, now().date()))


def _last(months: int, today: date) -> Span:
    """Return the last months, this one included."""
    year, month = divmod(today.year * 12 + today.month - months, 12)
    return span(date(year, month + 1, 1), today, today)
