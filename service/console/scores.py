"""Why a comment got its spam score, as words marked in what it says: for the open item, and as a
page of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from flask import Response, render_template, request

from models.store.database import reading
from service.console import item as items
from service.console.blueprint import console, looking
from service.moderation import explaining

LEAST = 0.01  # a part's share below which it only takes room
MOST_MARKED = (
    5  # words each way that are marked in the text: more would draw the eye from those that matter
)


class Piece(NamedTuple):
    """A stretch of the text; `way` is "up", "down", or empty where it moved the score little."""

    text: str
    way: str = ""
    share: float = 0.0


@console.get("/items/<comment_id>/score")
def score(comment_id: str) -> Response:
    """A part of the item, for the script; whoever follows the link is shown it as a page."""
    who = looking()
    with reading() as session:
        comment, site = items.find(session, who, comment_id)
        judged = explaining.judged(session, comment)
        shown = {"id": comment.id, "name": comment.name, "language": comment.language, "site": site}
        is_found = "spam" in (comment.found or "").split()
    why = _worth_showing(explaining.as_json(judged))
    template = (
        "console/_score.html"
        if request.headers.get("X-Greenroom") == "score"
        else "console/score.html"
    )
    pieces = list(marked(judged.body, _strongest(why)))
    is_marked = is_found and any(piece.way == "up" for piece in pieces)
    html = render_template(
        template, who=who, item=shown, why=why, pieces=pieces, is_marked=is_marked
    )
    return Response(html, content_type="text/html; charset=utf-8")


def _worth_showing(why: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **why,
        **{way: [part for part in why[way] if part["share"] >= LEAST] for way in ("up", "down")},
    }


def _strongest(why: dict[str, Any]) -> dict[str, Any]:
    words = {way: [part for part in why[way] if "word" in part] for way in ("up", "down")}
    return {
        way: sorted(parts, key=itemgetter("share"))[-MOST_MARKED:] for way, parts in words.items()
    }


def marked(body: str, why: dict[str, Any]) -> Iterator[Piece]:
    """The whole text, cut where a word that moved the score begins or ends."""
    words = [
        (start, end, way, part["share"])
        for way in ("up", "down")
        for part in why[way]
        if "word" in part
        for start, end in part["spans"]
    ]
    at = 0
    for start, end, way, share in sorted(words):
        if start > at:
            yield Piece(body[at:start])
        yield Piece(body[start:end], way, share)
        at = end
    if at < len(body):
        yield Piece(body[at:])
