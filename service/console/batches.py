"""Decisions that were made together: shown above the list and undone together, also without
JavaScript.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from flask import redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id
from models.records import DecisionRecord
from models.settling.history import standing_in_batches
from models.store.database import begin, reading
from service.console import coming_back
from service.console.blueprint import acting, console
from service.console.item import may_decide
from service.console.sessions import SignedIn
from service.http.problems import Problem
from service.moderation.deciding import (
    MOST_AT_ONCE,
    Undoings,
    decisions_to_undo,
    publish_soon,
    take_back_each,
)
from service.moderation.log import batch_of, said_together


class Made(NamedTuple):
    """A moderator's own batch, and whether any of its decisions can still be undone."""

    id: str
    did: str
    may_undo: bool


def made_just_now(session: Session, who: SignedIn, site_ids: Collection[int]) -> Made | None:
    """Return the moderator's own batch that the address names."""
    batch = request.args.get("batch", "")
    together = batch_of(session, batch, site_ids, by=who.by) if is_id(batch) else None
    if together is None:
        return None
    stands = bool(standing_in_batches(session, [batch]))
    return Made(batch, said_together(together, is_undo=not stands), stands)


@console.post("/batches/<batch>/undo")
def undo_batch(batch: str) -> BaseResponse:
    """Undo the decisions of a batch that still stand. A colleague's later decisions stay."""
    who = acting()
    decided = select(DecisionRecord.comment_id).where(DecisionRecord.batch == batch).distinct()
    with reading() as session:
        comments = session.scalars(decided).all() if is_id(batch) else []
        wanted = decisions_to_undo(session, Undoings(batch=batch)) if comments else {}
    if not comments:
        raise Problem(404, "There is no such batch.")
    may_decide(who, comments)
    if not wanted:
        raise Problem(409, "This whole batch has already been undone.")
    some = dict(list(wanted.items())[:MOST_AT_ONCE])
    with begin() as session:
        done, _ = take_back_each(session, some, by=who.actor)
    for each in done:
        publish_soon(each)
    return redirect(coming_back.checked(request.form.get("back", "")), 303)
