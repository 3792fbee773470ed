"""Reports and notices in a settling transaction: how much a reporter's word weighs, and how one
human decision settles everything that readers said against the comment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from models.records import DecisionRecord, Notice, Report
from models.settling.actor import AUTHOR, Actor, Kind
from models.settling.changes import Change
from models.settling.drafts import CommentDraft
from models.settling.events import EventLog, NoticeState, ReportCounts
from models.settling.notice_mails import cancel_outcome, owe_outcome
from models.text.stamps import utc_stamp

LEAST_WEIGHT, MOST_WEIGHT = 0.25, 2.0
OPENED, CLOSED = "notice.opened", "notice.closed"
# What a comment's new status means for a report and for a notice.
_OUTCOMES = {
    "approved": ("dismissed", "kept"),
    "rejected": ("upheld", "removed"),
    "deleted": ("upheld", "removed"),
}


def weight_of(upheld: int, dismissed: int) -> float:
    """Return the weight of a reporter's next report: 2 × (upheld + 1) / (upheld + dismissed + 2),
    from 0.25 to 2.

    That is twice the share of their reports that a moderator would uphold, by Laplace's rule of
    succession: 1 without a history, 1.33 after one upheld report, 0.67 after one dismissed report.
    """
    weight = 2 * (upheld + 1) / (upheld + dismissed + 2)
    return round(min(MOST_WEIGHT, max(LEAST_WEIGHT, weight)), 4)


def accuracy_of(session: Session, site_id: int, reporter: str) -> Counter[str]:
    """Count the reporter's settled reports on the site by their outcome. A comment that its own
    author deleted does not count, because two readers could agree on that.
    """
    settled = select(Report.outcome, func.count()).where(
        Report.site_id == site_id, Report.reporter == reporter, Report.outcome.is_not(None)
    )
    settled = settled.join(DecisionRecord, DecisionRecord.id == Report.settled_by)
    settled = settled.where(DecisionRecord.by != str(AUTHOR))
    return Counter(
        {str(outcome): n for outcome, n in session.execute(settled.group_by(Report.outcome))}
    )


def open_reports(session: Session, comment_id: str) -> ReportCounts:
    """Count the open reports of a comment and add their weights."""
    reports = select(Report.reason, func.count(), func.sum(Report.weight)).where(
        Report.comment_id == comment_id, Report.outcome.is_(None)
    )
    rows = session.execute(reports.group_by(Report.reason).order_by(Report.reason)).all()
    return {
        "count": sum(number for _, number, _ in rows),
        "weight": round(sum(weight for _, _, weight in rows), 4),
        "by_reason": {reason: number for reason, number, _ in rows},
    }


def notice_state(notice: Notice) -> NoticeState:
    return {
        "id": notice.id,
        "category": notice.category,
        "opened": utc_stamp(notice.opened_at),
        "due": utc_stamp(notice.due_at),
        "outcome": notice.outcome,
    }


class _Ruling(NamedTuple):
    """A human decision that ends what readers said against the comment."""

    comment: CommentDraft
    decision_id: str
    by: Actor
    answer: str


class Objections:
    """The reports and notices that the decisions of one transaction settle or open again."""

    def __init__(self, session: Session, events: EventLog, at: datetime) -> None:
        self._session, self._events, self._at = session, events, at
        self._rulings: dict[str, _Ruling] = {}  # by comment
        self._undone: dict[str, CommentDraft] = {}  # by the decision that was undone
        self._appealed: dict[str, tuple[str, bool]] = {}  # by the decision that was appealed

    def decided(self, comment: CommentDraft, change: Change, decision_id: str) -> None:
        """Note a human decision. The comment already has its new status."""
        if change.undoes:
            self._undone[change.undoes] = comment
        elif comment.status in _OUTCOMES:
            self._rulings[comment.id] = _Ruling(comment, decision_id, change.by, change.answer)

    def appealed(self, comment: CommentDraft, decision_id: str, *, is_reversed: bool) -> None:
        """Note that an appeal reversed the rejection that settled reports, or no longer does. Then
        the reporters were wrong, and their next reports weigh less.
        """
        self._appealed[decision_id] = comment.id, is_reversed

    def write(self) -> None:
        """Settle all open reports and notices of the decided comments as one, open again those that
        an undone decision had settled, and correct the outcome of reports after an appeal.
        """
        if self._rulings:
            self._settle_reports()
            self._close_notices()
        if self._undone:
            self._reopen()
        for decision_id, (comment_id, is_reversed) in self._appealed.items():
            settled = update(Report).where(
                Report.comment_id == comment_id, Report.settled_by == decision_id
            )
            outcome = "dismissed" if is_reversed else "upheld"
            self._session.execute(settled.values(outcome=outcome))

    def _settle_reports(self) -> None:
        reported = select(Report.comment_id).where(
            Report.comment_id.in_(self._rulings), Report.outcome.is_(None)
        )
        for comment_id in self._session.scalars(reported.distinct()).all():
            ruling = self._rulings[comment_id]
            settled = update(Report).where(
                Report.comment_id == comment_id, Report.outcome.is_(None)
            )
            self._session.execute(
                settled.values(
                    outcome=_OUTCOMES[ruling.comment.status][0],
                    settled_by=ruling.decision_id,
                    settled_at=self._at,
                )
            )

    def _close_notices(self) -> None:
        for notice in self._notices(self._rulings, Notice.closed_at.is_(None)):
            ruling = self._rulings[notice.comment_id]
            notice.outcome = _OUTCOMES[ruling.comment.status][1]
            notice.closed_by, notice.closed_at = ruling.decision_id, self._at
            notice.is_automated, notice.answer = ruling.by.kind is Kind.KEY, ruling.answer
            owe_outcome(self._session, self._events.site_of(ruling.comment), notice)
            self._events.add_aside(ruling.comment, CLOSED, {"notice": notice_state(notice)})

    def _reopen(self) -> None:
        comments = [comment.id for comment in self._undone.values()]
        reports = update(Report).where(
            Report.comment_id.in_(comments), Report.settled_by.in_(self._undone)
        )
        self._session.execute(reports.values(outcome=None, settled_by=None, settled_at=None))
        for notice in self._notices(comments, Notice.closed_by.in_(self._undone)):
            comment = self._undone[notice.closed_by or ""]
            cancel_outcome(self._session, notice)
            notice.outcome = notice.closed_at = notice.closed_by = notice.is_automated = None
            notice.answer = ""
            self._events.add_aside(comment, OPENED, {"notice": notice_state(notice)})

    def _notices(self, comments: Iterable[str], which: ColumnElement[bool]) -> Sequence[Notice]:
        wanted = select(Notice).where(Notice.comment_id.in_(list(comments)), which)
        return self._session.scalars(wanted.order_by(Notice.id)).all()
