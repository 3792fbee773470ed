"""API calls for one comment: its record, the explanation of its score, deciding, undoing,
erasing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Comment, DecisionRecord
from models.settling.actor import Actor
from models.settling.appeals import OWN_APPEAL
from models.settling.changes import Settled
from models.settling.editing import revise
from models.settling.erasing import erase
from models.settling.history import conflicts, did
from models.settling.settling import settle
from models.settling.undoing import Refused, undo
from models.store.database import begin, reading
from models.text.stamps import utc_stamp
from service.http.api_keys import Caller
from service.http.api_types import Status
from service.http.calls import Noun
from service.http.problems import Problem
from service.http.requests import Query
from service.moderation import explaining
from service.moderation.comment_records import (
    CommentRecord,
    Decision,
    decision_shapes,
    full_records,
)
from service.moderation.deciding import Judgement, Revision, check_rule, publish_soon
from service.moderation.explaining import Explained

api = Noun("comments", "Comments", "One comment: its record and the decisions on it.")


class Ruling(Judgement):
    """A moderator's decision. With `version`, it is saved only if the comment still has that
    version.
    """

    version: Annotated[int | None, Field(examples=[1])] = None


class Undoing(BaseModel):
    """The decision to undo. Without one, the latest human decision is undone."""

    model_config = ConfigDict(strict=True, extra="ignore")

    decision: Annotated[str | None, Field(examples=["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"])] = None


class Decided(Decision):
    """A decision, and the status that it gave the comment."""

    status: Status


@api.call(
    "GET",
    "/v1/sites/<site>/comments/<comment_id>",
    scope="moderate",
    summary="Read a comment's record",
    says="The full record.",
)
def read_comment(who: Caller, comment_id: str) -> CommentRecord:
    """Read everything that Greenroom stores about a comment: its text, the evidence of each check,
    its reviews and its decisions.
    """
    with reading(of_one_moment=True) as session:
        return full_records(session, [wanted_comment(session, who, comment_id)])[0]


class ScoreQuery(Query):
    """Which of the comment's scores to explain."""

    score: Literal["spam", "abuse"] = "spam"


@api.call(
    "GET",
    "/v1/sites/<site>/comments/<comment_id>/explanation",
    scope="moderate",
    summary="Explain a score",
    says="The words and features that moved the score most.",
    answers={
        404: "There is no such comment, or it was erased.",
        409: "The comment has no score, or it is a blind sample that nobody has decided yet.",
        503: (
            "The model cannot be loaded, or another explanation is running. Try again in a moment."
        ),
    },
)
def explain_score(who: Caller, comment_id: str, query: ScoreQuery) -> Explained:
    """Show what moved a comment's spam or abuse score: `up` towards it, `down` away from it. The
    parts add up: `intercept` + the `log_odds` of each part + `rest` = the score's `log_odds`.
    """
    with reading() as session:
        comment = wanted_comment(session, who, comment_id)
        judged = explaining.judged(session, comment, query.score)
    return explaining.as_json(judged)


@api.call(
    "POST",
    "/v1/sites/<site>/comments/<comment_id>/decisions",
    scope="moderate",
    summary="Decide on a comment",
    says="The decision.",
    status=201,
    answers={
        409: ("The comment has changed since this version. The response has the newer decision.")
    },
)
def decide(who: Caller, comment_id: str, body: Ruling) -> Decided:
    """Approve, flag or reject a comment. Send the `version` that you read to get a 409 if someone
    else has decided since.
    """
    with begin() as session:
        wanted_comment(session, who, comment_id)
        check_rule(session, [who.site.id], body.rule)
        change = body.change(comment_id, by=who.actor, version=body.version)
        settled = settle(session, [change])[0]
        if settled is None:
            raise _too_late(session, comment_id, who.actor)
        answer = _decided(session, settled)
    publish_soon(settled)
    return answer


@api.call(
    "POST",
    "/v1/sites/<site>/comments/<comment_id>/undo",
    scope="moderate",
    summary="Undo a decision",
    says="The decision that undoes it.",
    status=201,
    answers={409: "There is a newer decision, or there is nothing to undo."},
    body_may_be_missing=True,
)
def undo_decision(who: Caller, comment_id: str, body: Undoing) -> Decided:
    """Undo the latest human decision that has not been undone yet. Send `decision` to undo that
    decision only, and only if it is the latest.
    """
    with begin() as session:
        wanted_comment(session, who, comment_id)
        try:
            settled = undo(session, comment_id, by=who.actor, decision=body.decision)
        except Refused as refused:
            raise Problem(409, str(refused)) from None
        answer = _decided(session, settled)
    publish_soon(settled)
    return answer


@api.call(
    "PATCH",
    "/v1/sites/<site>/comments/<comment_id>",
    scope="moderate",
    summary="Edit or redact a comment",
    says="The full record, with the new text.",
    answers={409: "The comment was erased, or it has changed since this version."},
)
def revise_comment(who: Caller, comment_id: str, body: Revision) -> CommentRecord:
    """Change the text of a comment at once, for example to remove personal data. The earlier
    text stays in the record's `edits`. An edit by the author that waits for a decision is dropped.
    """
    with begin() as session:
        wanted_comment(session, who, comment_id)
        settled = revise(
            session, comment_id, body.body, by=who.actor, note=body.note, version=body.version
        )
        if settled is None:
            raise _too_late(session, comment_id, who.actor)
    publish_soon(settled)
    with reading(of_one_moment=True) as session:
        return full_records(session, [wanted_comment(session, who, comment_id)])[0]


@api.call(
    "DELETE",
    "/v1/sites/<site>/comments/<comment_id>",
    scope="admin",
    summary="Erase a comment",
    says="The comment was erased.",
    status=204,
)
def erase_comment(who: Caller, comment_id: str) -> None:
    """Erase the comment's content everywhere. Its replies keep their place in the thread. Erasing a
    comment twice has no further effect.
    """
    with begin() as session:
        wanted_comment(session, who, comment_id)
        settled = erase(session, comment_id, by=who.actor)
    if settled:
        publish_soon(settled)


def wanted_comment(session: Session, who: Caller, comment_id: str) -> Comment:
    """Return the comment. Raises a 404 if the caller's site has no such comment."""
    comment = session.get(Comment, comment_id) if is_id(comment_id) else None
    if comment is None or comment.site_id != who.site.id:
        raise Problem(404, "There is no such comment on this site.")
    return comment


def _decided(session: Session, settled: Settled) -> Decided:
    decision = session.get_one(DecisionRecord, settled.decision_id)
    return {**decision_shapes(session, [decision])[0], "status": settled.status}


def _too_late(session: Session, comment_id: str, by: Actor) -> Problem:
    """Say who decided what and when, so that the moderator need not look it up."""
    conflict = conflicts(session, [comment_id], by=by)[0]
    if conflict.is_erased:
        return Problem(409, "This comment was erased. You can no longer decide on it.")
    if conflict.is_own_appeal:
        return Problem(409, OWN_APPEAL)
    last = conflict.decision
    about: dict[str, Any] = {"version": conflict.version, "current": conflict.status}
    if last is None:
        return Problem(
            409, (f"This comment has changed: its version is now {conflict.version}."), **about
        )
    said = f"{last.by} {did(last)} at {utc_stamp(last.at)}"
    shape = decision_shapes(session, [last])[0]
    return Problem(409, f"Not saved: {said}.", decision=shape, **about)
