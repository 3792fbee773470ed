"""A comment's text in the console: what its author changed, and a moderator's own edit."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from flask import redirect, request
from werkzeug.wrappers import Response as BaseResponse

from models.settling.editing import revise
from models.store.database import begin
from models.text.numbers import digits_to_int
from service.console import item as items
from service.console.blueprint import acting, console, way_back
from service.console.notes import from_form
from service.http.problems import Problem
from service.moderation.deciding import Revision, publish_soon

MOST_WORDS = 2000  # compared in each text: the time grows with their square
LEAST_ALIKE = 0.3  # otherwise the pieces are too small to read
_WORDS = re.compile(r"\S+\s*|\s+")


class Piece(NamedTuple):
    """A part of two texts: in both, only in the new one, or only in the old one."""

    kind: Literal["same", "new", "old"]
    text: str


@console.app_template_global()
def compare(before: str, after: str) -> list[Piece]:
    """Return the pieces of both texts in order, word by word. Texts that are very long or have
    little in common are not compared: the whole old one comes before the whole new one.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, [*map(str.strip, old)], [*map(str.strip, new)])
    if max(len(old), len(new)) > MOST_WORDS or matcher.ratio() < LEAST_ALIKE:
        return [Piece("old", before), Piece("new", after)]
    pieces: list[Piece] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(new[k:m])))
            continue
        if i < j:
            pieces.append(Piece("old", "".join(old[i:j])))
        if k < m:
            pieces.append(Piece("new", "".join(new[k:m])))
    return pieces


@console.post("/comments/<comment_id>/text")
def revise_by_form(comment_id: str) -> BaseResponse:
    """Edit or redact the comment, at once."""
    who = acting()
    new = from_form(Revision, "body", "note")
    version = digits_to_int(request.form.get("version"))
    with begin() as session:
        _, site = items.find(session, who, comment_id)
        items.check_may(who, site, "moderator")
        settled = revise(
            session, comment_id, new.body, by=who.actor, note=new.note, version=version
        )
    if settled is None:
        raise Problem(409, "The comment has changed, so your text was not saved. Reload the page.")
    publish_soon(settled)
    return redirect(way_back(item=comment_id), 303)
