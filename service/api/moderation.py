"""What a moderator's or an integrator's program calls with a key: the queue, records, decisions,
undo, erasure.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.failpoints import failpoint
from models.identifiers import is_id
from models.records import Comment, DecisionRecord, Event, Site, Thread
from models.settling.changes import Settled
from models.settling.history import conflicts
from models.settling.moderation import Refused, erase, settle, tell, undo
from models.store.database import begin, reading
from service.api.public import json_response
from service.comments.submission import thread_key
from service.http.api_keys import Caller, caller
from service.http.problems import Problem, Shape, shaped
from service.moderation import explaining
from service.moderation.campaigns import grouped
from service.moderation.comment_records import decision_shape, full_records, when
from service.moderation.deciding import Judgement
from service.moderation.queue import STATUSES, listed
from worker.bell import DELIVER, PUBLISH, ring_soon

MOST_ITEMS = 100

api = Blueprint("moderation", __name__)


class Ruling(Judgement):
    """A moderator's decision as it is sent. With `version`, it counts only for the comment as it
    was seen.
    """

    version: int | None = None


class Undoing(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    decision: str | None = None


def body_as(shape: type[Shape], *, empty: bytes = b"") -> Shape:
    """The request's JSON in that shape. Raises the 400, 415 or 422 that says what is wrong with it."""
    content = request.get_data(cache=False) or empty
    if content is not empty and request.mimetype != "application/json":
        raise Problem(415, "Send application/json.")
    return shaped(shape, content)


@api.get("/v1/sites/<site>/queue")
def queue(site: str) -> Response:
    """Comments of one status, or all with an open review, oldest first; or groups of those that say
    the same.
    """
    who = caller(site, "moderate")
    status = request.args.get("status", "flagged")
    limit = number_argument("limit", 50, most=MOST_ITEMS)
    if status not in {*STATUSES, "review"}:
        raise Problem(422, "The status is pending, flagged, approved, rejected or review.")
    cursor = request.args.get("cursor")
    if cursor is not None and not is_id(cursor):
        raise Problem(422, "This cursor is not one that a queue gave out.")
    if (group := request.args.get("group")) not in {None, "campaign"}:
        raise Problem(422, "The queue can be grouped by campaign, and by nothing else.")
    with reading(of_one_moment=True) as session:
        if group:
            return json_response(grouped(session, status, who.site.id, limit=limit, after=cursor))
        wanted = listed(status, [who.site.id], limit=limit + 1, after=cursor)
        comments = session.execute(wanted).scalars().all()
        items = full_records(session, comments[:limit])
    return json_response(
        {"items": items, "next": comments[limit - 1].id if len(comments) > limit else None}
    )


@api.get("/v1/sites/<site>/comments/<comment_id>")
def record(site: str, comment_id: str) -> Response:
    who = caller(site, "moderate")
    with reading(of_one_moment=True) as session:
        return json_response(full_records(session, [wanted_comment(session, who, comment_id)])[0])


@api.get("/v1/sites/<site>/comments/<comment_id>/explanation")
def explanation(site: str, comment_id: str) -> Response:
    """The words and counts that moved its spam score most."""
    who = caller(site, "moderate")
    with reading() as session:
        judged = explaining.judged(session, wanted_comment(session, who, comment_id))
    return json_response(explaining.as_json(judged))


@api.post("/v1/sites/<site>/comments/<comment_id>/decisions")
def decide(site: str, comment_id: str) -> Response:
    who = caller(site, "moderate")
    ruling = body_as(Ruling)
    with begin() as session:
        wanted_comment(session, who, comment_id)
        change = ruling.change(comment_id, by=who.actor, version=ruling.version)
        settled = settle(session, [change])[0]
        if settled is None:
            raise _too_late(session, comment_id)
        decision = session.get_one(DecisionRecord, settled.decision_id)
        answer = decision_shape(decision) | {"status": settled.status}
    publish_soon(settled)
    return json_response(answer, 201)


@api.post("/v1/sites/<site>/comments/<comment_id>/undo")
def take_back(site: str, comment_id: str) -> Response:
    who = caller(site, "moderate")
    asked = body_as(Undoing, empty=b"{}")
    with begin() as session:
        wanted_comment(session, who, comment_id)
        try:
            settled = undo(session, comment_id, by=who.actor, decision=asked.decision)
        except Refused as refused:
            raise Problem(409, str(refused)) from None
        answer = decision_shape(session.get_one(DecisionRecord, settled.decision_id)) | {
            "status": settled.status
        }
    publish_soon(settled)
    return json_response(answer, 201)


@api.delete("/v1/sites/<site>/comments/<comment_id>")
def remove(site: str, comment_id: str) -> Response:
    """Erase the comment's content everywhere. Once more does no harm."""
    who = caller(site, "admin")
    with begin() as session:
        wanted_comment(session, who, comment_id)
        settled = erase(session, comment_id, by=who.actor)
    if settled:
        publish_soon(settled)
    return Response(status=204)


@api.get("/v1/sites/<site>/events")
def events(site: str) -> Response:
    """The event log in order. A cursor never skips: the site's counter is held until its
    transaction is committed.
    """
    who = caller(site, "read")
    limit = number_argument("limit", 100, most=1000)
    after = request.args.get("after", "0.0")
    position, _, nth = after.partition(".")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (position, nth)):
        raise Problem(422, "This cursor is not one that the event log gave out.")
    later = tuple_(Event.position, Event.nth) > tuple_(int(position), int(nth))
    wanted = (
        select(Event)
        .where(Event.site_id == who.site.id, later)
        .order_by(Event.position, Event.nth)
        .limit(limit)
    )
    with reading() as session:
        found = session.execute(wanted).scalars().all()
        forgotten = session.scalar(select(Site.forgotten).where(Site.id == who.site.id)) or 0
    if 0 < int(position) < forgotten:
        detail = (
            "The events after this cursor are no longer kept: read what is there "
            "anew, then go on from `oldest`."
        )
        raise Problem(410, detail, oldest=f"{forgotten}.0")
    listed = [
        {"id": event.id, "type": event.type, "timestamp": when(event.at), "data": event.data}
        for event in found
    ]
    return json_response(
        {"events": listed, "next": f"{found[-1].position}.{found[-1].nth}" if found else after}
    )


@api.get("/v1/sites/<site>/events/digest")
def digest(site: str) -> Response:
    """A hash of what a thread shows once every event up to `next` is heard: to check a mirror by.

    SHA-256 of a line `id version` for each approved comment, sorted by id.
    """
    who = caller(site, "read")
    try:
        key = thread_key(request.args.get("thread", ""))
    except ValueError as error:
        raise Problem(
            422, str(error), errors=[{"field": "thread", "message": str(error)}]
        ) from None
    approved = select(Comment.id, Comment.version).join(Thread, Thread.id == Comment.thread_id)
    approved = approved.where(
        Thread.site_id == who.site.id, Thread.key == key, Comment.status == "approved"
    )
    newest = select(Event.position, Event.nth).where(Event.site_id == who.site.id)
    with reading(of_one_moment=True) as session:
        rows = session.execute(approved.order_by(Comment.id)).all()
        last = session.execute(
            newest.order_by(Event.position.desc(), Event.nth.desc()).limit(1)
        ).one_or_none()
    hashed = hashlib.sha256(
        b"".join(f"{row.id} {row.version}\n".encode() for row in rows)
    ).hexdigest()
    following = f"{last.position}.{last.nth}" if last else "0.0"
    return json_response({"thread": key, "count": len(rows), "digest": hashed, "next": following})


def number_argument(name: str, default: int, *, most: int) -> int:
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and 1 <= int(given) <= most):
        raise Problem(422, f"{name} is a number from 1 to {most}.")
    return int(given)


def publish_soon(settled: Settled) -> None:
    """To be called once the decision is committed."""
    failpoint("decided")
    tell([settled])
    if settled.touches_page:
        ring_soon(PUBLISH, settled.thread_id)
    for endpoint in settled.owed:
        ring_soon(DELIVER, endpoint)


def wanted_comment(session: Session, who: Caller, comment_id: str) -> Comment:
    comment = session.get(Comment, comment_id) if is_id(comment_id) else None
    if comment is None or comment.site_id != who.site.id:
        raise Problem(404, "There is no such comment on this site.")
    return comment


def _too_late(session: Session, comment_id: str) -> Problem:
    """Say who decided what and when, so that the moderator need not look it up."""
    conflict = conflicts(session, [comment_id])[0]
    if conflict.is_erased:
        return Problem(409, "This comment was erased; there is nothing left to decide.")
    last = conflict.decision
    about: dict[str, Any] = {"version": conflict.version, "current": conflict.status}
    if last is None:
        return Problem(409, f"This comment has version {conflict.version} by now.", **about)
    said = f"{last.by} decided to {last.verdict} at {when(last.at)}"
    return Problem(409, f"Someone was first: {said}.", decision=decision_shape(last), **about)
