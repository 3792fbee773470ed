"""The mails that a settling transaction owes to readers: a reply to their comment, a decision on
it, and a new comment on a thread that they follow.

Only rows are written here, without an address: a settling transaction is short. The sender looks up
addresses and choices, and whether the mail is still true (worker/mail/letters.py). Nothing is
written, and nothing read, for a comment that no known reader waits for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import Connection

from models.identifiers import new_id
from models.mailing.smtp import can_send
from models.records import Mail
from models.settings import settings
from models.settling.changes import Change
from models.settling.drafts import CommentDraft, ThreadDraft
from models.settling.statements import needs_statement
from models.store.database import insert_new


class DecisionData(TypedDict):
    """The decision that a mail is about. It is sent only if that decision still stands then."""

    decision: str


class MailRow(TypedDict):
    id: str
    site_id: int
    kind: str
    address: None
    address_index: str
    reader_id: str | None
    comment_id: str
    data: DecisionData | dict[str, object]
    once: str
    is_daily: bool
    state: str
    due: datetime
    attempts: int
    created_at: datetime


class OwedMails:
    def __init__(self, at: datetime) -> None:
        self._at = at
        self._rows: list[MailRow] = []

    def add(
        self, comment: CommentDraft, thread: ThreadDraft, change: Change, decision_id: str
    ) -> None:
        """Owe what follows from a comment's new status."""
        if not (comment.reader_id or comment.parent_reader_id or thread.followers):
            return
        if not can_send():
            return
        if comment.reader_id and _concerns_its_author(comment, change):
            data: DecisionData = {"decision": decision_id}
            self._owe("decision", comment, comment.reader_id, f"decision:{decision_id}", data)
        if comment.status != "approved":
            return
        if comment.parent_reader_id and comment.parent_reader_id != comment.reader_id:
            self._owe("reply", comment, comment.parent_reader_id, f"reply:{comment.id}", {})
        if thread.followers:
            self._owe("thread", comment, None, f"thread:{comment.id}", {})

    def _owe(
        self,
        kind: str,
        comment: CommentDraft,
        reader_id: str | None,
        once: str,
        data: DecisionData | dict[str, object],
    ) -> None:
        self._rows.append(
            {
                "id": new_id(),
                "site_id": comment.site_id,
                "kind": kind,
                "address": None,
                "address_index": "",
                "reader_id": reader_id,
                "comment_id": comment.id,
                "data": data,
                "once": once,
                "is_daily": False,
                "state": "owed",
                "due": self._at + timedelta(seconds=settings().mail_delay_seconds),
                "attempts": 0,
                "created_at": self._at,
            }
        )

    def write(self, connection: Connection) -> None:
        if self._rows:
            connection.execute(insert_new(Mail), self._rows)


def _concerns_its_author(comment: CommentDraft, change: Change) -> bool:
    """Whether the author hears of a decision: a rejection, except of spam, and an approval by a
    human. What the policy approves at once is simply there.
    """
    if comment.status == "rejected":
        return change.reason != "spam" if change.by.is_human else needs_statement(change)
    return comment.status == "approved" and change.by.is_human
