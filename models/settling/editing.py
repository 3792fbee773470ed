"""Change a comment's text: by its author within a window, or by a moderator at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.judgement.policy import Policy
from models.records import Comment, Edit, Notice, Report, Site
from models.settling.actor import AUTHOR, Actor
from models.settling.changes import Settled
from models.settling.drafts import CommentDraft
from models.settling.settling import Settling

MOST_EDITS = 20  # of one comment by its author: each is a screening


class WhyNot(StrEnum):
    """Why a reader cannot edit a comment; each is a sentence in the locale files."""

    OFF = "off"
    LATE = "late"
    ANSWERED = "answered"
    REPORTED = "reported"
    REJECTED = "rejected"
    DELETED = "deleted"
    OFTEN = "often"


class NotEditable(Exception):
    """Raised for an edit that comes too late, or that the site does not allow."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(why)
        self.why = why


_REPLY = aliased(Comment)
# With the branch, by which an index finds them.
_IS_ANSWER = (_REPLY.top_id == Comment.top_id) & (_REPLY.parent_id == Comment.id)
_IS_ANSWER &= _REPLY.parent_id.is_not(None) & _REPLY.status.not_in(("rejected", "deleted"))
_EDITS = select(func.count()).where(Edit.comment_id == Comment.id, Edit.by == str(AUTHOR))
# What `editable_until` needs to know, as columns of a query of comments and their sites.
EDITING = (
    Comment.status,
    Comment.at,
    Site.policy["edit_minutes"].label("minutes"),
    select(_REPLY.id).where(_IS_ANSWER).exists().label("is_answered"),
    (
        select(Report.id).where(Report.comment_id == Comment.id).exists()
        | select(Notice.id).where(Notice.comment_id == Comment.id).exists()
    ).label("is_reported"),
    _EDITS.scalar_subquery().label("edits"),
)


def editable_until(row: Any, at: datetime) -> datetime | WhyNot:
    """Return until when an author can edit a comment, or why that is not possible. `row` has the
    columns `EDITING`.
    """
    minutes = Policy().edit_minutes if row.minutes is None else row.minutes
    until: datetime = row.at + timedelta(minutes=minutes)
    reasons = {
        WhyNot.DELETED: row.status == "deleted",
        WhyNot.REJECTED: row.status == "rejected",
        WhyNot.OFF: minutes == 0,
        WhyNot.LATE: until <= at,
        WhyNot.ANSWERED: row.is_answered,
        WhyNot.REPORTED: row.is_reported,
        WhyNot.OFTEN: row.edits >= MOST_EDITS,
    }
    return next((why for why, holds in reasons.items() if holds), until)


def edit_own(session: Session, comment_id: str, body: str) -> bool:
    """Take the author's new text. Return whether the comment must be screened.

    If the comment is public, its old text stays until the new one is approved. Otherwise the new
    text replaces it. Raises `NotEditable`.
    """
    work = Settling(session, [comment_id])
    comment = work.drafts.comments[comment_id]
    # Replies refer to this row, so none can be added between the look below and the commit.
    session.execute(select(Comment.id).where(Comment.id == comment_id).with_for_update())
    about = select(*EDITING).join(Site, Site.id == Comment.site_id)
    until = editable_until(session.execute(about.where(Comment.id == comment_id)).one(), work.at)
    if isinstance(until, WhyNot):
        raise NotEditable(until)
    if body == _latest_text(session, comment):
        return False
    work.drafts.change(comment)
    work.drafts.edit(comment)
    _owe_screening(comment, work.at)
    if comment.status == "approved":
        work.edits.propose(comment, body)
    else:
        work.edits.replace(comment, body, by=AUTHOR)
        comment.html = None  # the worker renders what a stranger typed
    work.write()
    return True


def _latest_text(session: Session, comment: CommentDraft) -> str:
    """Return the text that the author sent last: that of the edit that waits, if one does."""
    return session.get_one(Edit, comment.edit_id).body if comment.edit_id else comment.body


def _owe_screening(comment: CommentDraft, at: datetime) -> None:
    """The screening of an earlier text, if one is running, changes nothing any more."""
    comment.screen_due, comment.screening_by, comment.screenings_alone = at, None, 0


def revise(  # noqa: PLR0913 — a moderator's edit and its parts
    session: Session,
    comment_id: str,
    body: str,
    *,
    by: Actor,
    note: str = "",
    version: int | None = None,
) -> Settled | None:
    """Replace a comment's text at once. An author's edit that waits is dropped.

    Return None if the comment was erased, or no longer has that `version`.
    """
    work = Settling(session, [comment_id])
    comment = work.drafts.comments.get(comment_id)
    if comment is None or comment.erased_at or version not in {None, comment.version}:
        return None
    settled = work.revise(comment, body, by=by, note=note)
    work.write()
    return work.with_deliveries(settled)
