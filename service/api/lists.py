"""The console's lists by key, with its filters, orders and search; and what a human has seen."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identifiers import is_id
from models.records import Comment, Thread
from models.store.database import begin, reading
from service.api.moderation import body_as, number_argument
from service.api.public import json_response
from service.http.api_keys import Caller, caller
from service.http.problems import Problem
from service.moderation.comment_records import full_records
from service.moderation.deciding import MOST_AT_ONCE, Identifier, check_all_are_of
from service.moderation.queue import ORDERS, Place, View, coverage, see, unsee

TABS = ("review", "unread", "pending", "approved", "rejected", "all")
MOST_ITEMS, MOST_LENGTH = 100, 500

api = Blueprint("lists", __name__)


class Those(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    items: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)]
    seen: bool = True


@api.get("/v1/sites/<site>/lists/<tab>")
def listed(site: str, tab: str) -> Response:
    """What is asked for goes together: all of it must hold."""
    who = caller(site, "moderate")
    if tab not in TABS:
        raise Problem(404, f"The lists are {', '.join(TABS)}.")
    limit = number_argument("limit", 50, most=MOST_ITEMS)
    after = Place.read(request.args.get("cursor", ""))
    if "cursor" in request.args and after is None:
        raise _wrong("cursor", "This cursor is not one that a list gave out.")
    with reading(of_one_moment=True) as session:
        view = _view(session, who, tab)
        places = view.places(session, [who.site.id], limit=limit + 1, after=after)
        ids = [place.id for place in places[:limit]]
        rows = {row.id: row for row in session.scalars(select(Comment).where(Comment.id.in_(ids)))}
        answer: dict[str, Any] = {
            "items": full_records(session, [rows[id_] for id_ in ids]),
            "next": str(places[limit - 1]) if len(places) > limit else None,
        }
        if tab == "unread":
            answer["coverage"] = coverage(session, [who.site.id])._asdict()
    return json_response(answer)


@api.post("/v1/sites/<site>/seen")
def mark_seen(site: str) -> Response:
    """A human has read these: they leave the list of the unread; or, with `seen` false, they come
    back to it. Nothing is decided.
    """
    who = caller(site, "moderate")
    asked = body_as(Those)
    with begin() as session:
        check_all_are_of(session, who.site.id, asked.items)
        (see if asked.seen else unsee)(session, asked.items)
        covered = coverage(session, [who.site.id])
    return json_response({"seen": asked.items if asked.seen else [], "coverage": covered._asdict()})


def _view(session: Session, who: Caller, tab: str) -> View:
    given = {
        name: value.strip()[:MOST_LENGTH]
        for name, value in request.args.items()
        if "\0" not in value
    }
    order = given.get("order", "oldest")
    if order not in (ORDERS if tab == "review" else ORDERS[:2]):
        raise _wrong("order", "This list has no such order.")
    author, thread = given.get("author", ""), given.get("thread", "")
    campaign = given.get("campaign", "")
    if campaign and not is_id(campaign):
        raise _wrong("campaign", "A campaign is named by its first comment.")
    return View(
        tab=tab,
        order=order,
        thread_id=_thread(session, who, thread) if thread else None,
        check=given.get("check", ""),
        reason=given.get("reason", ""),
        language=given.get("language", ""),
        author=_author(session, who, author) if author else "",
        campaign=campaign,
        since=_day("since"),
        until=_day("until"),
        words=given.get("q", ""),
    )


def _thread(session: Session, who: Caller, key: str) -> int:
    """A thread that is not there has no comments."""
    return (
        session.scalar(select(Thread.id).where(Thread.site_id == who.site.id, Thread.key == key))
        or 0
    )


def _author(session: Session, who: Caller, comment: str) -> str:
    """An author is named by one of their comments."""
    wanted = select(Comment.email_index).where(
        Comment.id == comment, Comment.site_id == who.site.id
    )
    index = session.scalar(wanted) if is_id(comment) else None
    if index is None:
        raise _wrong("author", "An author is named by one of their comments.")
    return index or "nobody"


def _day(name: str) -> date | None:
    given = request.args.get(name)
    try:
        day = date.fromisoformat(given) if given else None
    except ValueError:
        raise _wrong(name, f"{name} is a day like 2026-01-31.") from None
    if day and not 2000 <= day.year <= 2100:
        raise _wrong(name, f"{name} is a day of this century.")
    return day


def _wrong(field: str, message: str) -> Problem:
    return Problem(422, message, errors=[{"field": field, "message": message}])
