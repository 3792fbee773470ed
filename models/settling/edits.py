"""The edits that wait while their comment is public, inside a settling transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import cast

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.judgement.evidence import StoredEvidence, from_stored
from models.records import Edit, LinkedHost
from models.records.edit import APPROVED, REJECTED, REPLACED, WAITING
from models.settling.actor import AUTHOR, POLICY, Actor
from models.settling.changes import Change, Screened
from models.settling.drafts import CommentDraft
from models.settling.rows import ScreeningRow
from models.text import markdown


class WaitingEdits:
    """Loads edits only if a comment has one, so that other transactions cost no query."""

    def __init__(self, session: Session, comments: Iterable[CommentDraft], at: datetime) -> None:
        self._session, self._at = session, at
        ids = [comment.edit_id for comment in comments if comment.edit_id]
        rows = session.scalars(select(Edit).where(Edit.id.in_(ids))) if ids else ()
        self._waiting = {edit.id: edit for edit in rows}
        self._decided: list[tuple[Edit, str]] = []

    def of(self, comment: CommentDraft) -> Edit | None:
        """Return the comment's edit that waits."""
        return self._waiting.get(comment.edit_id or "")

    def concerned(self, change: Change, comment: CommentDraft) -> Edit | None:
        """Return the edit that a screening judged, or that a human's decision is about."""
        edit = self.of(comment)
        if edit is None or comment.status != "approved" or change.undoes or change.whole:
            return None
        if change.screened:
            return edit if change.edit == edit.id else None
        return edit if change.by != POLICY and edit.held_at else None

    def undone(self, change: Change, comment: CommentDraft) -> Edit | None:
        """Return the edit whose decision is undone. None if that is no longer possible: the text
        has changed since, or another edit waits, or the comment is not public any more.
        """
        edit = self._session.get_one(Edit, change.edit)
        is_shown = edit.status == APPROVED
        if comment.status != "approved" or comment.edit_id:
            return None
        return None if is_shown and comment.body != edit.body else edit

    def propose(self, comment: CommentDraft, body: str) -> None:
        """Let the author's new text wait for its screening, in place of an earlier one."""
        version = None
        if earlier := self.of(comment):
            self._end(earlier, REPLACED, AUTHOR)
            if earlier.held_at:  # a moderator may be reading it
                comment.version = version = comment.version + 1
        edit = self._new(comment, body, by=AUTHOR, status=WAITING, version=version)
        comment.edit_id = edit.id

    def replace(self, comment: CommentDraft, body: str, *, by: Actor, note: str = "") -> None:
        """Give the comment its new text at once."""
        comment.version += 1
        self._new(comment, body, by=by, status=APPROVED, version=comment.version, note=note)
        comment.body, comment.edited_at = body, self._at
        # A host that the old text linked to gains nothing if the new one is approved.
        links = delete(LinkedHost).where(LinkedHost.comment_id == comment.id)
        self._session.execute(links)

    def _new(  # noqa: PLR0913 — an edit's parts
        self,
        comment: CommentDraft,
        body: str,
        *,
        by: Actor,
        status: str,
        version: int | None,
        note: str = "",
    ) -> Edit:
        edit = Edit(
            id=new_id(),
            site_id=comment.site_id,
            comment_id=comment.id,
            by=str(by),
            before=comment.body,
            body=body,
            note=note,
            at=self._at,
            version=version,
            status=status,
        )
        self._session.add(edit)
        return edit

    def publish(self, edit: Edit, comment: CommentDraft, by: Actor) -> ScreeningRow | None:
        """Make the new text the comment's. Return its screening, if it had one."""
        edit.before = comment.body
        comment.body, comment.html = edit.body, edit.html or markdown.render(edit.body)
        comment.edited_at = self._at
        comment.language = edit.language or comment.language
        comment.campaign = edit.campaign or comment.campaign
        self._settle(edit, comment, APPROVED, by)
        comment.risk, comment.found = edit.risk, edit.found
        if edit.number is None:
            return None  # it was published before, and that was undone
        number, edit.number = edit.number, None
        return {
            "id": new_id(),
            "comment_id": comment.id,
            "number": number,
            "evidence": [from_stored(item) for item in edit.evidence],
            "policy_version": edit.policy_version or 0,
            "at": self._at,
        }

    def hold(self, edit: Edit, comment: CommentDraft) -> None:
        """Leave the edit to a moderator."""
        edit.held_at = edit.held_at or self._at
        comment.screen_due = None

    def reject(
        self, edit: Edit, comment: CommentDraft, by: Actor, reason: str | None = None
    ) -> None:
        edit.reason = reason
        self._settle(edit, comment, REJECTED, by)

    def drop(self, comment: CommentDraft, by: Actor) -> None:
        """Reject the edit of a comment that is no longer public."""
        if edit := self.of(comment):
            self.reject(edit, comment, by)

    def _settle(self, edit: Edit, comment: CommentDraft, status: str, by: Actor) -> None:
        self._end(edit, status, by)
        comment.edit_id = comment.screen_due = None

    def _end(self, edit: Edit, status: str, by: Actor) -> None:
        edit.status, edit.settled_at, edit.settled_by = status, self._at, str(by)

    def bring_back(self, edit: Edit, comment: CommentDraft) -> bool:
        """Let the edit wait for a moderator again. Return whether the public text changes."""
        is_shown = edit.status == APPROVED
        if is_shown:
            comment.body, comment.html = edit.before, markdown.render(edit.before)
            comment.edited_at = self._edited_before(edit)
        edit.status, edit.held_at = WAITING, self._at
        edit.settled_at = edit.settled_by = edit.reason = edit.decision_id = None
        comment.edit_id = edit.id
        return is_shown

    def _edited_before(self, edit: Edit) -> datetime | None:
        others = (Edit.comment_id == edit.comment_id) & (Edit.id != edit.id)
        last = select(func.max(func.coalesce(Edit.settled_at, Edit.at)))
        return self._session.scalar(last.where(others, Edit.status == APPROVED))

    def decided(self, edit: Edit, decision_id: str) -> None:
        self._decided.append((edit, decision_id))

    def write(self) -> None:
        """Name the decisions, once they have been inserted."""
        for edit, decision_id in self._decided:
            edit.decision_id = decision_id
        if self._decided:
            self._session.flush()


def record_screening(edit: Edit, screened: Screened) -> None:
    """Keep what a screening found in the new text, until it is published."""
    edit.number, edit.policy_version = screened.number, screened.policy_version
    edit.evidence = [cast(StoredEvidence, asdict(item)) for item in screened.evidence]
    edit.html, edit.language = screened.html, screened.language
