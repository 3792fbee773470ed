"""The teaching queue: the picks that wait for a label, and asking a worker for more."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from models.judgement.picks import SESSION
from models.judgement.policy import Verdict
from models.records import Comment, DecisionRecord, Passed, Review, Site
from models.records.review import IS_OPEN_PICK, TEACHING
from models.settling.history import BY_A_HUMAN
from models.settling.picks import count_waiting
from models.store.database import begin, now, reading
from worker.bell import TEACH, ring_soon

Label = Literal["good", "spam", "abuse"]
DECISIONS: dict[Label, tuple[Verdict, str | None]] = {
    "good": (Verdict.APPROVE, None),
    "spam": (Verdict.REJECT, "spam"),
    "abuse": (Verdict.REJECT, "abuse"),
}


def ask_for_picks(site_id: int) -> int:
    """Have a worker draw picks, if fewer wait than a session has. Return how many wait."""
    with reading() as session:
        waiting = count_waiting(session, site_id)
    if waiting < SESSION:
        due = update(Site).where(Site.id == site_id, Site.teach_due.is_(None))
        with begin() as session:
            session.execute(due.values(teach_due=now()))
        ring_soon(TEACH, site_id)
    return waiting


def picks(
    site_id: int, *, limit: int, after: str | None = None, moderator_id: str = ""
) -> Select[str, Comment]:
    """Return the ids of the next open reviews, with their comments, in the order of the session."""
    rows = _waiting(site_id, moderator_id)
    if after:
        rows = rows.where(Review.id > after)
    return rows.order_by(Review.id).limit(limit)


def _waiting(site_id: int, moderator_id: str) -> Select[str, Comment]:
    """A pick that a moderator flagged waits in the ordinary queue instead."""
    rows = select(Review.id, Comment).join(Comment, Comment.id == Review.comment_id)
    rows = rows.where(Review.site_id == site_id, IS_OPEN_PICK, Comment.status != "flagged")
    if moderator_id:
        skipped = exists().where(Passed.comment_id == Review.comment_id)
        rows = rows.where(~skipped.where(Passed.moderator_id == moderator_id))
    return rows


def is_waiting(session: Session, comment_id: str) -> bool:
    """Whether the comment is a pick that nobody has labelled. Lock the comment, so that it stays
    one until the end of the transaction.
    """
    locked = select(Comment.id).where(Comment.id == comment_id).with_for_update(key_share=True)
    session.execute(locked)
    waiting = select(Review.id).where(Review.comment_id == comment_id, IS_OPEN_PICK)
    return session.execute(waiting).first() is not None


class Labelled(NamedTuple):
    """A decision by which a moderator labelled a pick."""

    decision: str
    comment: str
    verdict: str
    reason: str | None


def labelled(
    session: Session, site_id: int, *, by: str, since: str, most: int = SESSION
) -> list[Labelled]:
    """Return the picks that this actor labelled after the id `since` was made, the latest first,
    without those that were undone.
    """
    rows = select(
        DecisionRecord.id,
        DecisionRecord.comment_id,
        DecisionRecord.verdict,
        DecisionRecord.reason,
    )
    rows = rows.join(Review, Review.comment_id == DecisionRecord.comment_id)
    rows = rows.where(
        DecisionRecord.by == by,
        BY_A_HUMAN,
        DecisionRecord.id > since,
        Review.closed_by == DecisionRecord.id,
        Review.cause == TEACHING,
        Review.site_id == site_id,
    )
    newest = session.execute(rows.order_by(DecisionRecord.id.desc()).limit(most))
    return [Labelled(*row) for row in newest]
