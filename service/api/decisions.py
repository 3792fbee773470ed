"""API calls for many decisions at once, and for undoing a batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from models.identifiers import new_id
from models.settling.actor import Actor
from models.settling.appeals import OWN_APPEAL
from models.settling.changes import Settled
from models.settling.history import Conflict, conflicts
from models.store.database import begin
from service.http.api_keys import Caller
from service.http.api_types import Id, Status
from service.http.calls import Noun
from service.http.problems import Problem
from service.moderation.comment_records import Decision, decision_shapes
from service.moderation.deciding import (
    MOST_AT_ONCE,
    Rulings,
    Undoings,
    check_all_are_of,
    decide_each,
    decisions_to_undo,
    publish_soon,
    take_back_each,
)

api = Noun("decisions", "Decisions", "Decide on many comments at once, and undo a whole batch.")


class DecidedOne(TypedDict):
    """A comment that was decided, with the decision's id."""

    id: Id
    decision: Id
    status: Status
    version: Annotated[int, Field(examples=[2])]


class RefusedOne(TypedDict):
    """A comment that changed after the caller read it, and the newer decision."""

    id: Id
    detail: Annotated[str, Field(examples=["The comment changed after you read it."])]
    version: Annotated[int | None, Field(examples=[2])]
    status: Status
    decision: Decision | None


class DecidedMany(TypedDict):
    """The result of one call. Use `batch` to undo all of its decisions together."""

    batch: Id
    done: list[DecidedOne]
    refused: list[RefusedOne]


class NotUndone(TypedDict):
    """A decision that was not undone, and why."""

    id: Id
    decision: Id
    detail: Annotated[str, Field(examples=["There is a newer decision."])]


class UndoneMany(TypedDict):
    """`left` is how many decisions of the batch are still to be undone."""

    done: list[DecidedOne]
    refused: list[NotUndone]
    left: int


@api.call(
    "POST",
    "/v1/sites/<site>/decisions",
    scope="moderate",
    summary="Decide on many comments",
    says="The decided comments, and those refused because they changed after the caller read them.",
    answers={404: "One of the ids is not a comment on this site. Nothing was decided."},
)
def decide_many(who: Caller, body: Rulings) -> DecidedMany:
    """Apply one verdict to as many as 1,000 comments, in one transaction. You can undo the
    decisions of all calls with the same `batch` together.
    """
    asked = body.model_copy(update={"batch": body.batch or new_id()})
    ids = list(asked.versions())
    with begin() as session:
        check_all_are_of(session, who.site.id, ids)
        outcome = decide_each(session, asked, by=who.actor)
        refused = _refusals(session, outcome.refused, who.actor)
    for each in outcome.done:
        publish_soon(each)
    return {"batch": str(asked.batch), "done": _done(outcome.done), "refused": refused}


@api.call(
    "POST",
    "/v1/sites/<site>/decisions/undo",
    scope="moderate",
    summary="Undo many decisions",
    says="The comments whose decision was undone, and those refused because of a newer decision.",
    answers={404: "There is no such decision, or the whole batch has already been undone."},
)
def undo_many(who: Caller, body: Undoings) -> UndoneMany:
    """Undo a batch or single decisions. One call undoes up to 1,000 decisions of a batch. Repeat
    the call while `left` is not 0.
    """
    with begin() as session:
        wanted = decisions_to_undo(session, body)
        if not wanted:
            raise Problem(404, "This whole batch has already been undone.")
        check_all_are_of(session, who.site.id, wanted)
        some = dict(list(wanted.items())[:MOST_AT_ONCE])
        done, refused = take_back_each(session, some, by=who.actor)
    for each in done:
        publish_soon(each)
    stayed: list[NotUndone] = [
        {"id": id_, "decision": some[id_], "detail": str(why)} for id_, why in refused.items()
    ]
    return {"done": _done(done), "refused": stayed, "left": len(wanted) - len(some)}


def _done(settled: Iterable[Settled]) -> list[DecidedOne]:
    return [
        {
            "id": each.comment_id,
            "decision": str(each.decision_id),
            "status": each.status,
            "version": each.version,
        }
        for each in settled
    ]


def _refusals(session: Session, ids: list[str], by: Actor) -> list[RefusedOne]:
    """Return the current state of each refused comment, and who decided it."""
    found = conflicts(session, ids, by=by)
    decisions = [conflict.decision for conflict in found if conflict.decision]
    shapes = {shape["id"]: shape for shape in decision_shapes(session, decisions)}
    return [
        {
            "id": conflict.comment_id,
            "detail": _why_not(conflict),
            "version": conflict.version,
            "status": conflict.status,
            "decision": shapes[conflict.decision.id] if conflict.decision else None,
        }
        for conflict in found
    ]


def _why_not(conflict: Conflict) -> str:
    if conflict.is_erased:
        return "This comment was erased."
    return OWN_APPEAL if conflict.is_own_appeal else "The comment changed after you read it."
