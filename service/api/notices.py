"""API calls for notices of illegal content: sending one, its outcome, and what moderators do with
them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from models.settling.objecting import dismiss_notice
from models.store.database import begin, reading
from service.http.api_keys import Caller
from service.http.api_types import Id
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Cursor, Limit100, Query
from service.http.responses import PRIVATE, json_response
from service.http.sharing import preflight, shared, wanted_site
from service.moderation.deciding import Note, publish_soon
from service.moderation.objections import (
    NoticeRecord,
    list_notices,
    note_dismissal,
    wanted_notice,
)
from service.readers.notices import (
    NoticeBody,
    NoticeStatus,
    count_notice,
    find_notice,
    give_notice,
)

ROUTE = "/v1/sites/<site>/notices"

api = Noun(
    "notices",
    "Notices",
    "Notices of illegal content under Article 16 of the Digital Services Act.",
)


class GivenNotice(TypedDict):
    """A notice that was received. Its `receipt` tells the outcome."""

    id: Id
    receipt: Annotated[
        str,
        Field(examples=["/v1/notices/0195511c-6a20-7c3e-9d41-3f1f0a6b52c7.yzSXb2cPqTnU0Z0b0ZqB1g"]),
    ]


@api.call(
    "POST",
    ROUTE,
    summary="Send a notice of illegal content",
    says="The notice was received. Use the receipt to learn the outcome.",
    status=202,
    answers={
        404: "There is no such site, or this comment is not published.",
        422: "Something that Article 16 asks for is missing or not valid. `errors` lists it.",
        429: "Too many notices in a short time. Retry-After says how long to wait.",
    },
    answer=GivenNotice,
)
def send_notice(site: str, body: NoticeBody) -> Response:
    """Send a notice of illegal content about a published comment. A moderator, or a program with an
    API key, decides about it. To say that a comment breaks the site's rules, send a report instead.
    """
    info = wanted_site(site)
    count_notice(info)
    given = give_notice(info, body, info.locale)
    answer: GivenNotice = {"id": given.id, "receipt": f"/v1/notices/{given.receipt}"}
    return shared(info, json_response(answer, 202, PRIVATE))


@api.call(
    "GET",
    "/v1/notices/<receipt>",
    summary="Follow a notice",
    says="What came of the notice.",
    answers={404: "There is no such receipt."},
    answer=NoticeStatus,
)
def read_notice(receipt: str) -> Response:
    """Learn what was decided about your notice, whether automated means were used, and what you can
    do if you disagree.
    """
    found = find_notice(receipt)
    if found is None:
        raise Problem(404, "There is no such receipt.")
    return shared(wanted_site(found.site), json_response(found.answer, headers=PRIVATE))


@api.route(ROUTE, methods=["OPTIONS"])
def preflight_notices(site: str) -> Response:
    return preflight(wanted_site(site), "POST")


class NoticesQuery(Query):
    """Which notices to list."""

    status: Literal["open", "closed", "all"] = "open"
    cursor: Cursor = None
    limit: Limit100 = 50


class Notices(TypedDict):
    """Notices, oldest first."""

    notices: list[NoticeRecord]
    next: Id | None


@api.call(
    "GET",
    ROUTE,
    scope="moderate",
    summary="List notices",
    says="Notices, oldest first.",
)
def list_all_notices(who: Caller, query: NoticesQuery) -> Notices:
    """List the notices of illegal content, with the people who sent them."""
    with reading() as session:
        found = list_notices(
            session, who.site.id, query.status, after=query.cursor, limit=query.limit + 1
        )
    shown = found[: query.limit]
    return {"notices": shown, "next": shown[-1]["id"] if len(found) > query.limit else None}


class Dismissal(BaseModel):
    """`answer` goes to the person who sent the notice."""

    model_config = ConfigDict(strict=True, extra="ignore")

    answer: Annotated[Note, Field(examples=["The comment does not name you."])] = ""


@api.call(
    "POST",
    "/v1/sites/<site>/notices/<notice_id>/dismiss",
    scope="moderate",
    summary="Dismiss a notice",
    says="The closed notice.",
    answers={409: "The notice is closed already."},
    body_may_be_missing=True,
)
def dismiss(who: Caller, notice_id: str, body: Dismissal) -> NoticeRecord:
    """Close a notice without a decision on its comment, for example because it does not say what
    would be illegal. Usually, decide on the comment instead: that closes its notices, too.
    """
    with begin() as session:
        wanted_notice(session, who.site.id, notice_id)
        settled = dismiss_notice(session, notice_id, by=who.actor, answer=body.answer)
        if settled is None:
            raise Problem(409, "This notice is closed already.")
        note_dismissal(session, str(who.actor), who.site.id)
        record = wanted_notice(session, who.site.id, notice_id)
    publish_soon(settled)
    return record
