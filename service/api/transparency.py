"""The call for the figures of a site's transparency report."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from models.store.database import now, reading
from service.http.api_keys import Caller
from service.http.calls import Noun
from service.http.problems import wrong_field
from service.http.requests import CSV, Query, wants_csv
from service.http.responses import json_response
from service.moderation.transparency import (
    EXAMPLE,
    Period,
    Transparency,
    as_csv,
    period,
    transparency,
)

api = Noun(
    "transparency", "Transparency", "What a site restricted and why, and what became of appeals."
)


class TransparencyQuery(Query):
    """Both days are included, in UTC."""

    first: Annotated[
        date | None,
        Field(alias="from", description="The first day. The default is a year before `to`."),
    ] = None
    last: Annotated[
        date | None, Field(alias="to", description="The last day. The default is today.")
    ] = None
    format: Annotated[
        Literal["json", "csv"] | None,
        Field(description="`csv` returns a table. The `Accept` header does the same."),
    ] = None


@api.call(
    "GET",
    "/v1/sites/<site>/transparency",
    scope="read",
    summary="Show a transparency report",
    says="The figures. With `format=csv` or `Accept: text/csv`, the same as a table.",
    answer=Transparency,
    other_types={CSV: EXAMPLE},
)
def show_transparency(who: Caller, query: TransparencyQuery) -> Response:
    """Show the figures that the Digital Services Act asks for in a transparency report: notices by
    category, restrictions by source, detection and rule, automation and its error rates, appeals
    and reversals, and median times. The period can be at most three years.
    """
    when = _period(query)
    with reading(of_one_moment=True) as session:
        found = transparency(session, who.site.id, when)
    if wants_csv(query.format):
        return Response(as_csv(found), content_type=f"{CSV}; charset=utf-8")
    return json_response(found)


def _period(query: TransparencyQuery) -> Period:
    try:
        return period(query.first, query.last, now().date())
    except ValueError as error:
        raise wrong_field("from", str(error)) from None
