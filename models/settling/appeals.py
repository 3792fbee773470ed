"""Appeals in a settling transaction: who may not decide them, and the decision that closes one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap
from typing import TypedDict

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from models.records import Appeal, DecisionRecord, Membership, Review
from models.settling.actor import Actor, Kind
from models.settling.changes import Change
from models.store.database import Base
from models.text.stamps import utc_stamp

APPEALED = "appealed"  # the cause of the review
OUTCOMES = {"rejected": "upheld", "approved": "reversed", "deleted": "withdrawn"}
OWN_APPEAL = (
    "The author appealed against your own decision on this comment. Another moderator must decide."
)


class AppealShape(TypedDict):
    """An appeal in events. What the author wrote and the answer stay out of them."""

    id: str
    decision: str
    status: str
    opened_at: str
    closed_at: str | None


@dataclass(slots=True)
class AppealDraft:
    """An appeal as a settling transaction reads and writes it. `decided_by` made the decision that
    the author appealed against.
    """

    id: str
    comment_id: str
    decision_id: str
    decided_by: str
    site_id: int
    status: str
    answer: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None

    def shape(self) -> AppealShape:
        return {
            "id": self.id,
            "decision": self.decision_id,
            "status": self.status,
            "opened_at": utc_stamp(self.opened_at),
            "closed_at": utc_stamp(self.closed_at),
        }


class Appeals:
    """The appeals of these comments. They are read when a human decides, after the comments are
    locked, so no appeal is opened meanwhile.
    """

    def __init__(self, session: Session, comment_ids: Collection[str]) -> None:
        self._session, self._ids = session, comment_ids
        self._appeals: list[AppealDraft] | None = None
        self._changed: list[AppealDraft] = []

    def _of(self, comment_id: str) -> Iterator[AppealDraft]:
        if self._appeals is None:
            self._appeals = _read(self._session, self._ids)
        return (appeal for appeal in self._appeals if appeal.comment_id == comment_id)

    def open_on(self, comment_id: str) -> AppealDraft | None:
        return next((each for each in self._of(comment_id) if each.status == "open"), None)

    def refuses(self, change: Change) -> bool:
        """Whether this person must leave the comment to others."""
        if change.by.kind is not Kind.MODERATOR:
            return False
        appeal = self.open_on(change.comment_id)
        return appeal is not None and _is_own(self._session, appeal, change.by)

    def close(
        self, comment_id: str, becomes: str, *, decision_id: str, answer: str, at: datetime
    ) -> AppealDraft | None:
        """Close the open appeal, if there is one, and return it."""
        appeal = self.open_on(comment_id)
        if appeal is None:
            return None
        appeal.status = OUTCOMES.get(becomes, "changed")
        appeal.answer, appeal.closed_at, appeal.closed_by = answer, at, decision_id
        self._changed.append(appeal)
        return appeal

    def reopen(self, comment_id: str, undone: str) -> AppealDraft | None:
        """Open the appeal again that the undone decision closed, and return it."""
        appeal = next((each for each in self._of(comment_id) if each.closed_by == undone), None)
        if appeal is None:
            return None
        appeal.status, appeal.answer, appeal.closed_at, appeal.closed_by = "open", "", None, None
        self._changed.append(appeal)
        return appeal

    def write(self) -> None:
        rows = [
            {
                "its_id": appeal.id,
                "new_status": appeal.status,
                "new_answer": appeal.answer,
                "new_closed_at": appeal.closed_at,
                "new_closed_by": appeal.closed_by,
            }
            for appeal in self._changed
        ]
        if rows:
            self._session.connection().execute(_WRITE, rows)


def own_appeals(session: Session, comment_ids: Collection[str], by: Actor) -> set[str]:
    """Return those of the comments with an open appeal that this person must leave to others."""
    if by.kind is not Kind.MODERATOR or not comment_ids:
        return set()
    opened = [each for each in _read(session, comment_ids) if each.status == "open"]
    return {each.comment_id for each in opened if _is_own(session, each, by)}


def _is_own(session: Session, appeal: AppealDraft, by: Actor) -> bool:
    """Whether the appeal is against this person's own decision, and somebody else may decide it."""
    if appeal.decided_by != str(by):
        return False
    others = select(Membership.moderator_id).where(
        Membership.site_id == appeal.site_id,
        Membership.role != "viewer",
        Membership.moderator_id != by.id,
    )
    return session.execute(others.limit(1)).first() is not None


def _read(session: Session, comment_ids: Collection[str]) -> list[AppealDraft]:
    rows = session.connection().execute(_OF_COMMENTS, {"ids": list(comment_ids)})
    return list(starmap(AppealDraft, rows))


_OF_COMMENTS = (
    select(
        Appeal.id,
        Appeal.comment_id,
        Appeal.decision_id,
        DecisionRecord.by,
        Appeal.site_id,
        Appeal.status,
        Appeal.answer,
        Appeal.opened_at,
        Appeal.closed_at,
        Appeal.closed_by,
    )
    .join(DecisionRecord, DecisionRecord.id == Appeal.decision_id)
    .where(Appeal.comment_id.in_(bindparam("ids", expanding=True)))
    .order_by(Appeal.id)
)
_TABLE, _REVIEWS = (Base.metadata.tables[each.__tablename__] for each in (Appeal, Review))
_WRITE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("its_id"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("status", "answer", "closed_at", "closed_by")}
    )
)
CLOSE_APPEALED = (
    update(_REVIEWS)
    .where(
        _REVIEWS.c.comment_id == bindparam("comment"),
        _REVIEWS.c.cause == APPEALED,
        _REVIEWS.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("at"), closed_by=bindparam("decision"))
)
