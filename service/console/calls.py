"""Calls from the queue's script: deciding one or many comments, undoing, who has what open, what
was seen or left to others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, NamedTuple, TypedDict

from flask import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Claim, Comment, DecisionRecord, Passed, Site
from models.settling.changes import Settled
from models.settling.history import BY_A_HUMAN, standing, standing_in_batches
from models.store.database import begin, insert_new, now, reading
from service.console import words
from service.console.blueprint import acting, console, looking, sent
from service.console.item import holder, may_decide
from service.console.pages import questioned, refusals, unanswered_of
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.http.responses import json_response
from service.moderation.deciding import (
    MOST_AT_ONCE,
    Identifier,
    Rulings,
    Seen,
    Undoings,
    decide_each,
    decisions_to_undo,
    publish_soon,
    take_back_each,
)
from service.moderation.queue import see as mark_seen
from service.moderation.queue import unsee

CLAIM = timedelta(seconds=60)
REMEMBERED = 100
MOST_LOOKED_THROUGH = 10_000  # decisions: a batch of a thousand counts as one of the hundred


class OnScreen(Seen):
    """A comment with the version that was on the screen."""

    version: int


class Decisions(Rulings):
    """Unless it is `sure`, an approval leaves out the comments with an open question."""

    sure: bool = False
    items: Annotated[list[OnScreen], Field(min_length=1, max_length=MOST_AT_ONCE)]  # type: ignore[assignment]


class Those(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    items: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Read(Those):
    seen: bool = True


@console.post("/decisions")
def decide() -> Response:
    """Settle comments one by one. Return `done` with each decision's id, by which it can be undone,
    and `refused` with the reason.
    """
    who = acting()
    asked = sent(Decisions)
    ids = list(asked.versions())
    may_decide(who, ids)
    with begin() as session:
        unanswered = {} if asked.sure else unanswered_of(session, asked.verdict, ids)
        asked.items = [each for each in asked.items if each.id not in unanswered]
        outcome = decide_each(session, asked, by=who.actor)
        refused = [*refusals(session, outcome.refused, who.actor), *questioned(session, unanswered)]
        session.execute(
            delete(Claim).where(Claim.comment_id.in_(ids), Claim.moderator_id == who.moderator_id)
        )
    for each in outcome.done:
        publish_soon(each)
    return json_response({"done": [_shape(each) for each in outcome.done], "refused": refused})


class Done(TypedDict):
    """A decision that was made. `decision` is the id to undo it by."""

    id: str
    decision: str | None
    status: str
    version: int


def _shape(settled: Settled) -> Done:
    return {
        "id": settled.comment_id,
        "decision": settled.decision_id,
        "status": settled.status,
        "version": settled.version,
    }


@console.post("/undo")
def take_back() -> Response:
    """Undo exactly these decisions, or a batch. A colleague's later decision stays and is
    reported.
    """
    who = acting()
    asked = sent(Undoings)
    with reading() as session:
        wanted = decisions_to_undo(session, asked)
    some = dict(list(wanted.items())[:MOST_AT_ONCE])
    may_decide(who, list(some))
    with begin() as session:
        done, refused = take_back_each(session, some, by=who.actor)
        told = [
            {"id": comment, "decision": some[comment], "detail": words.named(session, str(why))}
            for comment, why in refused.items()
        ]
    for each in done:
        publish_soon(each)
    left = len(wanted) - len(some)
    return json_response({"done": [_shape(each) for each in done], "refused": told, "left": left})


@console.get("/recent")
def recent() -> Response:
    """Return the moderator's own last decisions that can still be undone, newest first, with a
    batch as one. This works after a reload, too.
    """
    who = looking()
    with reading() as session:
        groups = _remembered(session, who)
        batches = [batch for batch, group in groups.items() if group["batch"]]
        for decision in standing_in_batches(session, batches):
            groups[decision.batch]["decisions"].append(decision.id)
    return json_response({"recent": list(groups.values())})


class _Mine(NamedTuple):
    """The moderator's own decision, and its comment."""

    id: str
    by: str
    undoes: str | None
    verdict: str
    reason: str | None
    batch: str | None
    name: str
    site: str


class Remembered(TypedDict):
    """A decision, or a batch, with the ids of its decisions that still stand."""

    verdict: str
    reason: str | None
    name: str
    batch: str | None
    decisions: list[str]


def _remembered(session: Session, who: SignedIn) -> dict[str, Remembered]:
    """Return the last hundred by batch or decision. The decisions of a batch are added later."""
    groups: dict[str, Remembered] = {}
    for decision in standing(_own_log(session, who)):
        if decision.site not in who.sites:
            continue
        group: Remembered = {
            "verdict": decision.verdict,
            "reason": decision.reason,
            "name": decision.name,
            "batch": decision.batch,
            "decisions": [] if decision.batch else [decision.id],
        }
        groups.setdefault(decision.batch or decision.id, group)
        if len(groups) == REMEMBERED:
            break
    return groups


def _own_log(session: Session, who: SignedIn) -> Iterator[list[_Mine]]:
    """Read the moderator's own decisions from the newest one back, in pages."""
    newest_first = (
        select(
            DecisionRecord.id,
            DecisionRecord.by,
            DecisionRecord.undoes,
            DecisionRecord.verdict,
            DecisionRecord.reason,
            DecisionRecord.batch,
            Comment.name,
            Site.key,
        )
        .join(Comment, Comment.id == DecisionRecord.comment_id)
        .join(Site, Site.id == Comment.site_id)
        .where(DecisionRecord.by == who.by, BY_A_HUMAN)
        .order_by(DecisionRecord.id.desc())
        .limit(MOST_AT_ONCE)
    )
    wanted = newest_first
    for _ in range(MOST_LOOKED_THROUGH // MOST_AT_ONCE):
        page = [_Mine(*row) for row in session.execute(wanted)]
        yield page
        if len(page) < MOST_AT_ONCE:
            break
        wanted = newest_first.where(DecisionRecord.id < page[-1].id)


@console.post("/claims/<comment_id>")
def claim(comment_id: str) -> Response:
    """Record that this moderator has the comment open, or name the colleague who does. The claim
    expires after a minute.
    """
    who = acting()
    may_look(who, [comment_id])
    at = now()
    mine = {"comment_id": comment_id, "moderator_id": who.moderator_id, "until": at + CLAIM}
    free = or_(Claim.moderator_id == who.moderator_id, Claim.until < at)
    with begin() as session:
        session.execute(
            delete(Claim).where(
                Claim.moderator_id == who.moderator_id, Claim.comment_id != comment_id
            )
        )
        session.execute(delete(Claim).where(Claim.until < at - CLAIM))
        session.connection().execute(insert_new(Claim), mine)
        session.execute(update(Claim).where(Claim.comment_id == comment_id, free).values(mine))
        held_by = holder(session, comment_id, who)
        version = session.execute(select(Comment.version).where(Comment.id == comment_id)).scalar()
    return json_response({"held_by": held_by, "version": version, "seconds": CLAIM.total_seconds()})


@console.post("/left")
def leave() -> Response:
    """Leave the comments to others: they stay in the queue, but not in the moderator's own."""
    who = acting()
    ids = sent(Those).items
    may_decide(who, ids)
    with begin() as session:
        rows = [{"moderator_id": who.moderator_id, "comment_id": id_, "at": now()} for id_ in ids]
        session.connection().execute(insert_new(Passed), rows)
        session.execute(
            delete(Claim).where(Claim.comment_id.in_(ids), Claim.moderator_id == who.moderator_id)
        )
    return json_response({"left": ids})


@console.post("/taken-back")
def take_up() -> Response:
    """Return comments that the moderator left to others to the moderator's own queue."""
    who = acting()
    ids = sent(Those).items
    may_decide(who, ids)
    with begin() as session:
        session.execute(
            delete(Passed).where(
                Passed.moderator_id == who.moderator_id, Passed.comment_id.in_(ids)
            )
        )
    return json_response({"taken": ids})


@console.post("/seen")
def see() -> Response:
    """Mark these as read, which removes them from the list of the unread. Undoing it puts them
    back.
    """
    who = acting()
    asked = sent(Read)
    may_decide(who, asked.items)
    with begin() as session:
        (mark_seen if asked.seen else unsee)(session, asked.items)
    return json_response({"seen": asked.items if asked.seen else []})


def may_look(who: SignedIn, ids: Sequence[str]) -> None:
    wanted = select(Site.key).join(Comment, Comment.site_id == Site.id).where(Comment.id.in_(ids))
    with reading() as session:
        sites = session.scalars(wanted).all() if all(map(is_id, ids)) else []
    if len(sites) < len(set(ids)) or not set(sites) <= set(who.sites):
        raise Problem(404, "There is no such comment.")
