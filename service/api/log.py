"""The log by key: who did what when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from models.identifiers import is_id
from models.store.database import reading
from service.api.moderation import number_argument
from service.api.public import json_response
from service.http.api_keys import caller
from service.http.problems import Problem
from service.moderation.comment_records import decision_shape, when
from service.moderation.log import KINDS, Line, Wanted, lines

api = Blueprint("log", __name__)


@api.get("/v1/sites/<site>/log")
def log(site: str) -> Response:
    """Newest first."""
    who = caller(site, "moderate")
    limit = number_argument("limit", 100, most=1000)
    cursor, kind = request.args.get("cursor"), request.args.get("kind", "")
    if cursor is not None and not is_id(cursor):
        raise _wrong("cursor", "This cursor is not one that the log gave out.")
    if kind and kind not in KINDS:
        raise _wrong("kind", f"The log has {', '.join(KINDS)}.")
    wanted = Wanted(
        [who.site.id], kind, request.args.get("by", "")[:80], _moment("since"), _moment("until")
    )
    with reading() as session:
        found = lines(session, wanted, cursor, limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return json_response({"log": [_shape(line) for line in found[:limit]], "next": following})


def _shape(line: Line) -> dict[str, Any]:
    about: dict[str, Any] = {"id": line.id, "at": when(line.at), "by": line.by, "kind": line.kind}
    if line.decision is None:
        return {**about, "what": line.what}
    batch = line.decision.batch
    return {
        **about,
        "comment": line.decision.comment_id,
        "batch": batch,
        "decision": decision_shape(line.decision),
    }


def _moment(name: str) -> datetime | None:
    """RFC 3339, with its zone."""
    given = request.args.get(name)
    try:
        moment = datetime.fromisoformat(given) if given else None
    except ValueError:
        moment = None
    if given and (moment is None or moment.tzinfo is None or not 1971 <= moment.year <= 9000):
        raise _wrong(name, f"{name} is a time like 2026-01-31T12:00:00Z.")
    return moment


def _wrong(field: str, message: str) -> Problem:
    return Problem(422, message, errors=[{"field": field, "message": message}])
