"""New rows of a settling transaction, other than its events.

They are typed dictionaries, because SQLAlchemy takes many rows as dictionaries, and converting
objects would add a tenth to the time of settling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from sqlalchemy import Connection, bindparam, insert, update

from models.judgement.evidence import Evidence
from models.judgement.policy import Verdict
from models.records import DecisionRecord, Fingerprint, LinkedHost, Review, Screening, Statement
from models.records.edit import EDITED
from models.records.review import OF_READERS
from models.store.database import Base, insert_new


class ScreeningRow(TypedDict):
    id: str
    comment_id: str
    number: int
    evidence: Sequence[Evidence]
    policy_version: int
    at: datetime


class FingerprintRow(TypedDict):
    site_id: int
    band: int
    comment_id: str
    at: datetime


class LinkedHostRow(TypedDict):
    site_id: int
    host: str
    comment_id: str


class DecisionRow(TypedDict):
    id: str
    comment_id: str
    site_id: int
    by: str
    verdict: Verdict
    was: str
    becomes: str
    version: int
    reasons: list[str]
    reason: str | None
    note: str
    undoes: str | None
    edit_id: str | None
    at: datetime
    batch: str | None
    teaches: bool | None
    rule: str | None
    answer: str | None


class StatementRow(TypedDict):
    id: str
    site_id: int
    comment_id: str
    decision_id: str
    restriction: str
    source: str
    checks: str | None
    automated_detection: bool
    automated_decision: bool
    rule: str
    title: str
    text: str
    ground: str
    answer: str
    at: datetime
    appeal_until: datetime | None


class ReviewRow(TypedDict):
    id: str
    site_id: int
    comment_id: str
    cause: str
    blind: bool
    opened_at: datetime
    due_at: datetime
    risk: float
    propensity: float | None


class ClosedReview(TypedDict):
    """A decision that closes every open review of the comment, or only that of its edit."""

    comment: str
    decision: str
    at: datetime


@dataclass(slots=True)
class NewRows:
    screenings: list[ScreeningRow] = field(default_factory=list)
    fingerprints: list[FingerprintRow] = field(default_factory=list)
    hosts: list[LinkedHostRow] = field(default_factory=list)
    decisions: list[DecisionRow] = field(default_factory=list)
    statements: list[StatementRow] = field(default_factory=list)
    closed_reviews: list[ClosedReview] = field(default_factory=list)
    closed_own_reviews: list[ClosedReview] = field(default_factory=list)  # see OF_READERS
    closed_edits: list[ClosedReview] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)

    def write(self, connection: Connection) -> None:
        """Insert the rows, and skip a fingerprint, a host or an open review that exists already."""
        if self.screenings:
            connection.execute(insert(_SCREENINGS), self.screenings)
        if self.decisions:
            connection.execute(insert(_DECISIONS), self.decisions)
        if self.statements:
            connection.execute(insert(_STATEMENTS), self.statements)
        if self.fingerprints:
            connection.execute(insert_new(Fingerprint), self.fingerprints)
        if self.hosts:
            connection.execute(insert_new(LinkedHost), self.hosts)
        if self.closed_reviews:
            connection.execute(_CLOSE_REVIEWS, self.closed_reviews)
        if self.closed_own_reviews:
            connection.execute(_CLOSE_OWN_REVIEWS, self.closed_own_reviews)
        if self.closed_edits:
            connection.execute(_CLOSE_EDITED, self.closed_edits)
        if self.reviews:
            connection.execute(insert_new(Review), self.reviews)


_SCREENINGS = Base.metadata.tables[Screening.__tablename__]
_DECISIONS = Base.metadata.tables[DecisionRecord.__tablename__]
_STATEMENTS = Base.metadata.tables[Statement.__tablename__]
_CLOSE_REVIEWS = (
    update(Base.metadata.tables[Review.__tablename__])
    .where(Review.comment_id == bindparam("comment"), Review.closed_at.is_(None))
    .values(closed_at=bindparam("at"), closed_by=bindparam("decision"))
)
_CLOSE_OWN_REVIEWS = _CLOSE_REVIEWS.where(Review.cause.not_in(OF_READERS))
_CLOSE_EDITED = _CLOSE_REVIEWS.where(Review.cause == EDITED)
