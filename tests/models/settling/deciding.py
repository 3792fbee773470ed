"""Short names for what the tests of settling do often."""

from __future__ import annotations

from models.identifiers import new_id
from models.judgement.policy import Verdict
from models.settling.actor import Actor
from models.settling.changes import Change, Settled
from models.settling.settling import settle
from models.settling.undoing import undo
from models.store.database import begin

ANN, BEN = Actor.moderator(new_id()), Actor.moderator(new_id())


def decide(
    comment: str,
    verdict: str,
    *,
    by: Actor = ANN,
    batch: str | None = None,
    reason: str | None = None,
    teaches: bool | None = None,
) -> str:
    """Decide a comment; return the id of the decision."""
    change = Change(comment, Verdict(verdict), by=by, batch=batch, reason=reason, teaches=teaches)
    settled = settle_one(change)
    assert settled
    assert settled.decision_id
    return settled.decision_id


def settle_one(change: Change) -> Settled | None:
    with begin() as session:
        return settle(session, [change])[0]


def take_back(comment: str, *, by: Actor = ANN) -> str:
    """Undo the standing decision; return the id of the undo."""
    with begin() as session:
        decision = undo(session, comment, by=by).decision_id
    assert decision
    return decision
