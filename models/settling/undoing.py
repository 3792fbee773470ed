"""Undo decisions by humans: restore the state before them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.records import Comment, DecisionRecord, Review
from models.records.review import TEACHING
from models.settling.actor import Actor
from models.settling.appeals import OWN_APPEAL, own_appeals
from models.settling.changes import VERDICT, Change, Settled
from models.settling.history import did, human_decisions, standing_decision
from models.settling.settling import settle


class Refused(Exception):
    """Raised for a decision that cannot be undone now; the message tells the moderator why."""


def undo(session: Session, comment_id: str, *, by: Actor, decision: str | None = None) -> Settled:
    """Restore the state before the comment's standing decision.

    With `decision`, undo only that one. Raises `Refused` if another decision came after it, or if
    there is nothing to undo.
    """
    outcome = undo_each(session, {comment_id: decision}, by=by)[comment_id]
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def undo_each(
    session: Session, decisions: Mapping[str, str | None], *, by: Actor
) -> dict[str, Settled | Refused]:
    """Do the same for many comments in one transaction. Return the outcomes in the order given."""
    ids = list(decisions)
    _lock(session, ids)
    logs = human_decisions(session, ids)
    to_undo = {id_: _to_undo(logs[id_], wanted) for id_, wanted in decisions.items()}
    closed = _causes_closed(session, ids)
    changes = [
        _restoring(last, by, closed[last.id])
        for last in to_undo.values()
        if isinstance(last, DecisionRecord)
    ]
    restored = dict(zip((c.comment_id for c in changes), settle(session, changes), strict=True))
    _reopen_picks(session, changes)
    stayed = [id_ for id_, settled in restored.items() if settled is None]
    own, erased = own_appeals(session, stayed, by), _erased(session, stayed)
    return {
        id_: last
        if isinstance(last, Refused)
        else restored[id_] or Refused(_why_stayed(last, is_own=id_ in own, is_erased=id_ in erased))
        for id_, last in to_undo.items()
    }


def _erased(session: Session, comment_ids: Sequence[str]) -> set[str]:
    erased = select(Comment.id).where(Comment.id.in_(comment_ids), Comment.erased_at.is_not(None))
    return set(session.scalars(erased)) if comment_ids else set()


def _why_stayed(last: DecisionRecord, *, is_own: bool, is_erased: bool) -> str:
    if is_own:
        return OWN_APPEAL
    if is_erased:
        return "This comment was erased and can't be restored."
    if last.edit_id:
        return "The comment has changed since, so this edit can't be brought back."
    return "The author has changed the text since. Decide about the new text instead."


def _lock(session: Session, comment_ids: Sequence[str]) -> None:
    """Lock the comments as `settle` does, with the top comments of their branches, before their
    logs are read.
    """
    tops = session.scalars(select(Comment.top_id).where(Comment.id.in_(comment_ids)))
    in_order = select(Comment.id).where(Comment.id.in_({*comment_ids, *tops})).order_by(Comment.id)
    session.execute(in_order.with_for_update(key_share=True))


def _causes_closed(session: Session, comment_ids: Sequence[str]) -> dict[str, list[str]]:
    """The causes of the reviews that each decision closed, by its id, without picks."""
    wanted = select(Review.closed_by, Review.cause).where(
        Review.comment_id.in_(comment_ids),
        Review.closed_by.is_not(None),
        Review.cause != TEACHING,
    )
    causes: dict[str, list[str]] = defaultdict(list)
    for closed_by, cause in session.execute(wanted):
        causes[closed_by or ""].append(cause)
    return causes


def _reopen_picks(session: Session, changes: Sequence[Change]) -> None:
    """Open the picks of the teaching queue that the undone decisions closed. These are the same
    reviews, because only they say how the comments were picked.
    """
    closed = update(Review).where(
        Review.comment_id.in_([change.comment_id for change in changes]),
        Review.closed_by.in_([change.undoes for change in changes]),
        Review.cause == TEACHING,
    )
    session.execute(
        closed.values(closed_at=None, closed_by=None).execution_options(synchronize_session=False)
    )


def _to_undo(log: Sequence[DecisionRecord], wanted: str | None) -> DecisionRecord | Refused:
    """Return the standing decision, if it is the requested one."""
    last = standing_decision(log)
    if last is None:
        return Refused("This comment has no moderator's decision to undo.")
    if wanted is not None and wanted != last.id:
        return Refused(_why_not(wanted, last, log))
    return last


def _why_not(decision: str, last: DecisionRecord, log: Sequence[DecisionRecord]) -> str:
    if any(entry.undoes == decision for entry in log):
        return "That decision has already been undone."
    return f"There is a newer decision: {last.by} {did(last)} at {last.at:%Y-%m-%d %H:%M} UTC."


def _restoring(last: DecisionRecord, by: Actor, reopens: Sequence[str]) -> Change:
    """Return the change that restores the state before the decision. A comment that was decided
    before it was screened becomes flagged instead of pending: a human has seen it, so a human must
    decide.
    """
    before = "flagged" if last.was == "pending" else last.was
    return Change(
        last.comment_id,
        VERDICT[before],
        reasons=(f"undid the decision to {last.verdict}",),
        by=by,
        undoes=last.id,
        batch=last.batch,
        becomes=before,
        edit=last.edit_id,
        reopens=reopens,
    )
