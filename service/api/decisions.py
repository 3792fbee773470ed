"""Many decisions with one call, and taking a batch back, by key."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.settling.history import conflicts
from models.store.database import begin
from service.api.moderation import body_as, publish_soon
from service.api.public import json_response
from service.http.api_keys import caller
from service.http.problems import Problem
from service.moderation.comment_records import decision_shape
from service.moderation.deciding import (
    MOST_AT_ONCE,
    Rulings,
    Undoings,
    check_all_are_of,
    decide_each,
    decisions_to_undo,
    take_back_each,
)

api = Blueprint("decisions", __name__)


@api.post("/v1/sites/<site>/decisions")
def decide(site: str) -> Response:
    """One verdict on many, in one transaction. `refused` are those that were not as they had been
    seen.
    """
    who = caller(site, "moderate")
    asked = body_as(Rulings)
    asked = asked.model_copy(update={"batch": asked.batch or new_id()})
    ids = list(asked.versions())
    with begin() as session:
        check_all_are_of(session, who.site.id, ids)
        outcome = decide_each(session, asked, by=who.actor)
        refused = _refusals(session, outcome.refused)
    for each in outcome.done:
        publish_soon(each)
    done = [
        {
            "id": each.comment_id,
            "decision": each.decision_id,
            "status": each.status,
            "version": each.version,
        }
        for each in outcome.done
    ]
    return json_response({"batch": asked.batch, "done": done, "refused": refused})


@api.post("/v1/sites/<site>/decisions/undo")
def take_back(site: str) -> Response:
    """Of a batch at most a thousand with one call; `left` says how many another call would take
    back.
    """
    who = caller(site, "moderate")
    asked = body_as(Undoings)
    with begin() as session:
        wanted = decisions_to_undo(session, asked)
        if not wanted:
            raise Problem(404, "Nothing of this batch is left to be taken back.")
        check_all_are_of(session, who.site.id, wanted)
        some = dict(list(wanted.items())[:MOST_AT_ONCE])
        done, refused = take_back_each(session, some, by=who.actor)
    for each in done:
        publish_soon(each)
    answer: dict[str, Any] = {
        "done": [
            {
                "id": each.comment_id,
                "decision": each.decision_id,
                "status": each.status,
                "version": each.version,
            }
            for each in done
        ],
        "refused": [
            {"id": id_, "decision": some[id_], "detail": str(why)} for id_, why in refused.items()
        ],
        "left": len(wanted) - len(some),
    }
    return json_response(answer)


def _refusals(session: Session, ids: list[str]) -> list[dict[str, Any]]:
    """What each is by now, and who decided that."""
    return [
        {
            "id": conflict.comment_id,
            "detail": "This comment was erased." if conflict.is_erased else "Someone was first.",
            "version": conflict.version,
            "status": conflict.status,
            "decision": decision_shape(conflict.decision) if conflict.decision else None,
        }
        for conflict in conflicts(session, ids)
    ]
