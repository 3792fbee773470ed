"""What the queue's script calls: decisions, one or many; undoing them; who has what open; what was seen or left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import delete, literal_column, or_, select, update
from sqlalchemy.orm import Session

from models.changes import Change, Settled
from models.database import begin, insert_new, now, reading
from models.identifiers import is_id
from models.moderation import Refused, settle, undo
from models.policy import Verdict
from models.records import Claim, Comment, DecisionRecord, Passed, Site
from models.text import clean
from service.api.moderation import publish_soon
from service.api.public import json_response
from service.console import words
from service.console.blueprint import acting, console, looking, sent
from service.console.item import holder
from service.console.pages import first_was, may_decide
from service.console.sessions import SignedIn
from service.problems import Problem

MOST_AT_ONCE = 100
CLAIM = timedelta(seconds=60)
REMEMBERED = 100
BY_HUMANS = "decisions.\"by\" <> 'policy'"  # as the index says it: a bound value would not be recognised

Identifier = Annotated[str, StringConstraints(min_length=36, max_length=36)]


class Seen(BaseModel):
    """A comment in the version that was on the screen."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: Identifier
    version: int


class Decisions(BaseModel):
    """One verdict on one or many. A `batch`, made up by the script, makes many calls one thing to undo."""

    model_config = ConfigDict(strict=True, extra="ignore")

    verdict: Literal["approve", "flag", "reject"]
    reason: Literal["spam", "abuse", "off_topic", "other"] | None = None
    note: Annotated[str, StringConstraints(max_length=2000)] = ""
    batch: Identifier | None = None
    items: Annotated[list[Seen], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Undone(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    decisions: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Those(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    items: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]


@console.post("/decisions")
def decide() -> Response:
    """Settled one for one: `done` with each decision's id, by which it can be undone, `refused` with why."""
    who = acting()
    asked = sent(Decisions)
    ids = [seen.id for seen in asked.items]
    if asked.batch and not is_id(asked.batch):
        raise Problem(422, "A batch is named by a UUID.")
    may_decide(who, ids)
    with begin() as session:
        settled = settle(session, [_change(asked, seen, who) for seen in asked.items])
        refused = [_refusal(session, id_) for id_, each in zip(ids, settled, strict=True) if each is None]
        session.execute(delete(Claim).where(Claim.comment_id.in_(ids), Claim.moderator_id == who.moderator_id))
    done = [each for each in settled if each]
    for each in done:
        publish_soon(each)
    return json_response({"done": [_shape(each) for each in done], "refused": refused})


def _change(asked: Decisions, seen: Seen, who: SignedIn) -> Change:
    return Change(
        seen.id,
        Verdict(asked.verdict),
        reasons=(words.REASONS[asked.reason],) if asked.reason else (),
        by=f"moderator:{who.moderator_id}",
        version=seen.version,
        reason=asked.reason,
        note=clean(asked.note),
        batch=asked.batch,
    )


def _shape(settled: Settled) -> dict[str, Any]:
    return {
        "id": settled.comment_id,
        "decision": settled.decision_id,
        "status": settled.status,
        "version": settled.version,
    }


def _refusal(session: Session, comment_id: str) -> dict[str, Any]:
    version = session.execute(select(Comment.version).where(Comment.id == comment_id)).scalar()
    return {"id": comment_id, "detail": first_was(session, comment_id), "version": version}


@console.post("/undo")
def take_back() -> Response:
    """Undo exactly these decisions. One that a colleague decided after is left as it is, and said so."""
    who = acting()
    asked = sent(Undone)
    comments = _comments_of(asked.decisions)
    may_decide(who, list(comments.values()))
    done, refused = [], []
    with begin() as session:
        for decision, comment in comments.items():
            try:
                done.append(undo(session, comment, by=f"moderator:{who.moderator_id}", decision=decision))
            except Refused as refusal:
                refused.append({"id": comment, "decision": decision, "detail": words.named(session, str(refusal))})
    for each in done:
        publish_soon(each)
    return json_response({"done": [_shape(each) for each in done], "refused": refused})


def _comments_of(decisions: Sequence[str]) -> dict[str, str]:
    """The comment of each decision, in the order given. Raises 404 for one that is not there."""
    if not all(is_id(decision) for decision in decisions):
        raise Problem(404, "There is no such decision.")
    wanted = select(DecisionRecord.id, DecisionRecord.comment_id).where(DecisionRecord.id.in_(decisions))
    with reading() as session:
        found = dict(session.execute(wanted).all())
    if len(found) < len(set(decisions)):
        raise Problem(404, "There is no such decision.")
    return {decision: found[decision] for decision in decisions}


@console.get("/recent")
def recent() -> Response:
    """One's own last decisions that can still be undone, newest first, those of a batch as one: after a reload, too."""
    who = looking()
    mine = select(DecisionRecord, Comment.name, Site.key).join(Comment, Comment.id == DecisionRecord.comment_id)
    mine = mine.join(Site, Site.id == Comment.site_id)
    mine = mine.where(DecisionRecord.by == f"moderator:{who.moderator_id}", literal_column(BY_HUMANS))
    with reading() as session:
        rows = session.execute(mine.order_by(DecisionRecord.id.desc()).limit(10 * REMEMBERED)).all()
        undone = {decision.undoes for decision, _, _ in rows}
    groups: dict[str, dict[str, Any]] = {}
    for decision, name, site in rows:
        if decision.undoes or decision.id in undone or site not in who.sites:
            continue
        group = groups.setdefault(
            decision.batch or decision.id,
            {"verdict": decision.verdict, "reason": decision.reason, "name": name, "decisions": []},
        )
        group["decisions"].append(decision.id)
    return json_response({"recent": list(groups.values())[:REMEMBERED]})


@console.post("/claims/<comment_id>")
def claim(comment_id: str) -> Response:
    """Say that one has it open; whoever has it already is named. It ends by itself after a minute."""
    who = acting()
    may_look(who, [comment_id])
    at = now()
    mine = {"comment_id": comment_id, "moderator_id": who.moderator_id, "until": at + CLAIM}
    free = or_(Claim.moderator_id == who.moderator_id, Claim.until < at)
    with begin() as session:
        session.execute(delete(Claim).where(Claim.moderator_id == who.moderator_id, Claim.comment_id != comment_id))
        session.execute(delete(Claim).where(Claim.until < at - CLAIM))
        session.connection().execute(insert_new(Claim), mine)
        session.execute(update(Claim).where(Claim.comment_id == comment_id, free).values(mine))
        held_by = holder(session, comment_id, who)
        version = session.execute(select(Comment.version).where(Comment.id == comment_id)).scalar()
    return json_response({"held_by": held_by, "version": version, "seconds": CLAIM.total_seconds()})


@console.post("/left")
def leave() -> Response:
    """Leave them for another: they stay in the queue, but not in one's own."""
    who = acting()
    ids = sent(Those).items
    may_decide(who, ids)
    with begin() as session:
        rows = [{"moderator_id": who.moderator_id, "comment_id": id_, "at": now()} for id_ in ids]
        session.connection().execute(insert_new(Passed), rows)
        session.execute(delete(Claim).where(Claim.comment_id.in_(ids), Claim.moderator_id == who.moderator_id))
    return json_response({"left": ids})


@console.post("/taken-back")
def take_up() -> Response:
    """What was left comes back into one's own queue."""
    who = acting()
    ids = sent(Those).items
    may_decide(who, ids)
    with begin() as session:
        session.execute(delete(Passed).where(Passed.moderator_id == who.moderator_id, Passed.comment_id.in_(ids)))
    return json_response({"taken": ids})


@console.post("/seen")
def see() -> Response:
    """A human has read these: they leave the list of the unread."""
    who = acting()
    ids = sent(Those).items
    may_decide(who, ids)
    with begin() as session:
        unread = (Comment.id.in_(ids)) & Comment.seen_at.is_(None)
        session.execute(update(Comment).where(unread).values(seen_at=now()))
    return json_response({"seen": ids})


def may_look(who: SignedIn, ids: Sequence[str]) -> None:
    wanted = select(Site.key).join(Comment, Comment.site_id == Site.id).where(Comment.id.in_(ids))
    with reading() as session:
        sites = session.scalars(wanted).all() if all(map(is_id, ids)) else []
    if len(sites) < len(set(ids)) or not set(sites) <= set(who.sites):
        raise Problem(404, "There is no such comment.")
