"""Requests of the queue's script while the page is open: more rows, the numbers, and the changes
made by colleagues and readers.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TypedDict

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.records import Comment, Question, Review, Site
from models.store.database import reading
from models.text.numbers import digits_to_int
from service.console import alarms, words
from service.console.blueprint import console, looking
from service.console.item import holder
from service.console.pages import CHANGED, counts, latest_decision
from service.console.rows import PAGE_SIZE, Row, list_rows, list_rows_until
from service.console.sessions import SignedIn
from service.console.view import Asked
from service.http.responses import json_response
from service.moderation.comment_records import is_hidden
from service.moderation.queue import MOST_COUNTED, Place, coverage

RECHECK_SECONDS = 20  # a change that the tag does not cover shows after at most this time


@console.get("/rows")
def rows() -> Response:
    """Return the next rows of a list; with `only`, those rows of the part that the page shows."""
    who = looking()
    only = set(request.args.get("only", "").split(",")) - {""}
    with reading() as session:
        asked = Asked(session, who)
        if only:
            shown, _ = _rows_shown(session, asked)
            found, following = [row for row in shown if row.id in only], None
        else:
            found, following = list_rows(session, asked)
    html = render_template(
        "console/_rows.html",
        rows=found,
        asked=asked,
        following=following,
        words=words,
        most=MOST_COUNTED,
    )
    return Response(html, content_type="text/html; charset=utf-8")


@console.get("/counts")
def numbers() -> Response:
    """Return the numbers on the tabs, and which parts are down."""
    who = looking()
    with reading() as session:
        return json_response(_numbers(session, Asked(session, who)))


@console.get("/changes")
def changes() -> Response:
    """Return the current list in few bytes, or a 304 if the page has it already.

    `rows` are pairs of an id and a fingerprint. The script fetches the rows whose fingerprint it
    does not know.
    """
    who = looking()
    with reading(of_one_moment=True) as session:
        asked = Asked(session, who)
        tag = _tag(session, who, asked)
        if tag in request.if_none_match:
            answer = Response(status=304)
        else:
            found, following = _rows_shown(session, asked)
            answer = json_response(
                {
                    **_numbers(session, asked),
                    "rows": [(row.id, row.fingerprint) for row in found],
                    "following": following,
                    "open": _open_comment(session, who, asked),
                }
            )
    answer.set_etag(tag)
    return answer


def _rows_shown(session: Session, asked: Asked) -> tuple[list[Row], str | None]:
    """Return the part of the list that the page shows: it says how many rows, and up to which
    place.
    """
    shown = digits_to_int(request.args.get("shown")) or PAGE_SIZE
    until = Place.read(request.args.get("until", ""))
    return list_rows_until(session, asked, until, shown=shown)


def _numbers(session: Session, asked: Asked) -> dict[str, object]:
    answer: dict[str, object] = {**counts(session, asked), "alarm": alarms.current()}
    if asked.tab == "unread":
        seen = coverage(session, asked.sites)
        answer["coverage"] = {**seen._asdict(), "percent": seen.percent}
    return answer


class OpenComment(TypedDict):
    """The comment that is open. `change` says what the page does not show yet."""

    id: str
    version: int
    change: str | None
    held_by: str | None


def _open_comment(session: Session, who: SignedIn, asked: Asked) -> OpenComment | None:
    wanted = select(Comment.version).where(
        Comment.id == asked.item, Comment.site_id.in_(asked.all_sites)
    )
    version = session.execute(wanted).scalar() if asked.item else None
    if version is None:
        return None
    is_known = version == digits_to_int(request.args.get("version"))
    return {
        "id": asked.item,
        "version": version,
        "change": None if is_known else _change(session, asked.item),
        "held_by": holder(session, asked.item, who),
    }


def _change(session: Session, comment_id: str) -> str:
    """Say who decided the comment last. A blind sample must not show what Greenroom decided."""
    return CHANGED if is_hidden(session, [comment_id]) else latest_decision(session, comment_id)


def _tag(session: Session, who: SignedIn, asked: Asked) -> str:
    """Return a tag that changes with the list, with a few look-ups instead of reading the list.

    Every decision steps the counter of its site. The newest id reveals new comments, reviews and
    questions. Other changes, such as a comment that becomes due, wait for the next recheck.
    """
    sites = select(Site.id, Site.event_sequence).where(Site.id.in_(asked.all_sites))
    newest = [
        session.execute(select(record.id).order_by(record.id.desc()).limit(1)).scalar()
        for record in (Comment, Review, Question)
    ]
    known = (
        request.query_string,
        who.by,
        asked.view.roles,
        session.execute(sites.order_by(Site.id)).all(),
        newest,
        alarms.current(),
        int(time.time() / RECHECK_SECONDS),
    )
    return sha256(repr(known).encode()).hexdigest()[:32]
