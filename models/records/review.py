"""A review: why a human should look at a comment, since when, and which decision closed it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ForeignKey, Index, Uuid, false, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from models.records.columns import CommentRef, Id, SiteRef, When, Word
from models.store.database import Base, now

DUE_AFTER = {
    "reported": timedelta(hours=4),
    "appealed": timedelta(hours=12),
}  # readers wait for an answer
DUE_AFTER_ALL = timedelta(
    days=1
)  # and at the same time for everything else, so that the time does not reveal the blind sample
UNKNOWN = 0.5  # the risk of a comment that the model cannot judge
# A reader waits for the answer, so only a human's ruling closes these.
OF_READERS = ("reported", "notice", "appealed", "edited")
TEACHING = "teaching"  # picked from all comments, to be labelled
_OPEN = text("closed_at IS NULL")
_PICKED = text(f"cause = '{TEACHING}' AND closed_at IS NULL")


class Review(Base):
    """`cause` is "flagged", "reported", "sampled", "teaching", "appealed", "notice", "edited", ….
    A comment has at most one open review for each cause.

    A human should look by `due_at`. `risk` is the comment's risk when the review was opened, stored
    here to order the queue. While a `blind` review is open, nobody sees what the machine found or
    decided.

    `propensity` is the probability that this comment would get such a review: 1 if the policy
    flagged it, the share of the blind sample for a sampled one. It is None if nobody can tell.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index(
            "uq_reviews_open",
            "comment_id",
            "cause",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "ix_reviews_queue", "site_id", "opened_at", postgresql_where=_OPEN, sqlite_where=_OPEN
        ),
        Index(
            "ix_reviews_waiting",
            "site_id",
            "comment_id",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "ix_reviews_risk",
            "site_id",
            "risk",
            "comment_id",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "ix_reviews_due",
            "site_id",
            "due_at",
            "comment_id",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index("ix_reviews_comment_id", "comment_id"),
        Index("ix_reviews_picks", "site_id", "id", postgresql_where=_PICKED, sqlite_where=_PICKED),
        Index(
            "ix_reviews_blind",
            "site_id",
            "id",
            postgresql_where=text("blind"),
            sqlite_where=text("blind = 1"),
        ),
    )

    id: Mapped[Id]
    site_id: Mapped[SiteRef]
    comment_id: Mapped[CommentRef]
    cause: Mapped[Word]
    blind: Mapped[bool] = mapped_column(default=False, server_default=false())
    opened_at: Mapped[When] = mapped_column(default=now)
    due_at: Mapped[When | None]
    closed_at: Mapped[When | None]
    risk: Mapped[float] = mapped_column(default=UNKNOWN, server_default=text(str(UNKNOWN)))
    propensity: Mapped[float | None]
    closed_by: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("decisions.id"))


# Written as in the partial index: the databases use it only for a constant that they can compare
# while planning, not for a bound parameter.
IS_OPEN_PICK = (Review.cause == literal_column(f"'{TEACHING}'")) & Review.closed_at.is_(None)
# A moderator must decide. The comment of a pick needs no decision, so lists of what waits leave it
# out.
WAITS = Review.closed_at.is_(None) & (Review.cause != TEACHING)
