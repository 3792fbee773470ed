"""API calls for the quality of a site's automatic decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from models.store.database import now, reading
from service.http.api_keys import Caller
from service.http.calls import Noun
from service.http.problems import Problem, wrong_field
from service.http.requests import CSV, Month, Query, wants_csv
from service.http.responses import json_response
from service.sites.quality import Quality, Span, public_quality, quality, span
from service.sites.quality_csv import EXAMPLE, as_csv

api = Noun("quality", "Quality", "How often the automatic decisions of a site are wrong.")


class QualityQuery(Query):
    """Both months are included."""

    first: Annotated[
        Month,
        Field(
            alias="from",
            description=(
                "The first month. The default is eleven months before `to`, so that the figures "
                "cover twelve months."
            ),
        ),
    ] = None
    last: Annotated[
        Month, Field(alias="to", description="The last month. The default is this month, in UTC.")
    ] = None
    format: Annotated[
        Literal["json", "csv"] | None,
        Field(description="`csv` returns a table. The `Accept` header does the same."),
    ] = None


@api.call(
    "GET",
    "/v1/sites/<site>/quality",
    scope="read",
    summary="Show the quality of decisions",
    says="The figures. With `format=csv` or `Accept: text/csv`, the same as a table.",
    answer=Quality,
    other_types={CSV: EXAMPLE},
)
def show_quality(who: Caller, query: QualityQuery) -> Response:
    """Show how often comments are wrongly published, wrongly held and wrongly rejected: in total,
    by month, by language and by check. Every share has its exact 95 % interval and the number of
    human answers behind it. At most 24 months.
    """
    with reading(of_one_moment=True) as session:
        found = quality(session, who.site.id, _span(query))
    if wants_csv(query.format):
        return Response(as_csv(found), content_type=f"{CSV}; charset=utf-8")
    return json_response(found)


@api.call(
    "GET",
    "/v1/sites/<site>/quality/public",
    summary="Show the published quality",
    says="The figures of the last twelve months.",
    answers={404: "There is no such site, or it does not publish its figures."},
)
def show_published_quality(site: str) -> Quality:
    """Show the quality figures without a key, if the site's owners publish them (the setting
    `quality.public`). They are at most ten minutes old, or an hour for 50,000 comments or more.
    """
    with reading(of_one_moment=True) as session:
        found = public_quality(session, site, now().date())
    if found is None:
        raise Problem(404, "There is no such site, or it does not publish its quality figures.")
    return found


def _span(query: QualityQuery) -> Span:
    try:
        return span(query.first, query.last, now().date())
    except ValueError as error:
        raise wrong_field("from", str(error)) from None
