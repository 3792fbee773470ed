"""A comment's scores explained by marked words in its text, for the open item and as separate
pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Literal, NamedTuple

from flask import Response, render_template, request

from models.classifier.explained import Part
from models.judgement.scores import SCORES, SPAM
from models.store.database import reading
from service.console import item as items
from service.console.blueprint import console, looking
from service.http.problems import Problem
from service.moderation import explaining
from service.moderation.explaining import Explained

LEAST = 0.01  # a part with a smaller share only takes space
WAYS: tuple[Literal["up"], Literal["down"]] = ("up", "down")
MOST_MARKED = 5  # words each way: more marks would hide those that matter


class Piece(NamedTuple):
    """A part of the text. `way` is "up" or "down", or empty if it hardly moved the score."""

    text: str
    way: str = ""
    share: float = 0.0


class Shown(NamedTuple):
    """What the page needs of the comment."""

    id: str
    name: str
    language: str | None
    site: str


@console.get("/items/<comment_id>/score")
def score(comment_id: str) -> Response:
    """Show a score as a part of the item for the script, or as a separate page. `of` names the
    score.
    """
    who = looking()
    name = request.args.get("of", SPAM)
    if name not in SCORES:
        raise Problem(404, "There is no such score.")
    with reading() as session:
        comment, site = items.find(session, who, comment_id)
        judged = explaining.judged(session, comment, name)
        shown = Shown(comment.id, comment.name, comment.language, site)
        is_found = name in (comment.found or "").split()
    why = _worth_showing(explaining.as_json(judged))
    pieces = list(marked(judged.body, up=_strongest(why["up"]), down=_strongest(why["down"])))
    is_part = request.headers.get("X-Greenroom") == "score"
    html = render_template(
        "console/_score.html" if is_part else "console/score.html",
        who=who,
        item=shown,
        score=name,
        why=why,
        pieces=pieces,
        is_marked=is_found and any(piece.way == "up" for piece in pieces),
    )
    return Response(html, content_type="text/html; charset=utf-8")


def _worth_showing(why: Explained) -> Explained:
    up, down = ([part for part in why[way] if part["share"] >= LEAST] for way in WAYS)
    return {**why, "up": up, "down": down}


def _strongest(parts: Sequence[Part]) -> list[Part]:
    words = [part for part in parts if "word" in part]
    return sorted(words, key=itemgetter("share"))[-MOST_MARKED:]


def marked(body: str, *, up: Sequence[Part], down: Sequence[Part]) -> Iterator[Piece]:
    """Return the whole text, cut at the words that moved the score."""
    words = [
        (start, end, way, part["share"])
        for way, parts in zip(WAYS, (up, down), strict=True)
        for part in parts
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
