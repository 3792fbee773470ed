"""Owe a mail: write its row in the transaction of what it tells. `worker/mail/` sends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.mailing.smtp import can_send
from models.records import Mail, MailAttempt
from models.store.database import insert_new, now
from models.store.secrets import email_index, encrypt_email

KINDS = (
    "confirm",
    "reply",
    "decision",
    "thread",
    "digest",
    "notice_receipt",
    "notice_outcome",
)


def owe_mail(  # noqa: PLR0913 - a row has as many columns, and each is named at the call
    session: Session,
    *,
    site_id: int,
    kind: str,
    data: Mapping[str, Any],
    to: str | None = None,
    reader_id: str | None = None,
    comment_id: str | None = None,
    due: datetime | None = None,
    once: str | None = None,
) -> str | None:
    """Owe a mail, and return its id. None if this installation sends no mail, or if `once` names a
    mail that exists.

    Give `to`, an address, or `reader_id`, a reader with a proven address, whose choices then apply
    when the mail is sent. `data` is what the kind needs; for "notice_receipt", "notice_outcome" and
    a "decision" to an address it is a finished letter (models/mailing/letter.py: Finished). The
    mail is sent when it is `due`, at once by default.
    """
    assert kind in KINDS, kind
    if not can_send():
        return None
    mail_id = new_id()
    row = {
        "id": mail_id,
        "site_id": site_id,
        "kind": kind,
        "address": encrypt_email(to) if to else None,
        "address_index": email_index(to) if to else "",
        "reader_id": reader_id,
        "comment_id": comment_id,
        "data": dict(data),
        "once": once,
        "is_daily": False,
        "state": "owed",
        "due": due or now(),
        "attempts": 0,
        "created_at": now(),
    }
    new = session.connection().execute(insert_new(Mail, "id"), row).first()
    return mail_id if new else None


ENDED: dict[str, Any] = {"due": None, "lease": None, "address": None, "data": {}}


def cancel_mails(session: Session, comment_ids: Collection[str]) -> None:
    """Cancel what is owed about these comments, and forget what servers answered about them."""
    about = Mail.comment_id.in_(comment_ids)
    owed = update(Mail).where(about, Mail.state == "owed")
    session.execute(owed.values(**ENDED, state="cancelled", ended_at=now()))


def forget_reader(session: Session, reader_id: str) -> None:
    """Delete every mail to this reader, with its attempts."""
    theirs = select(Mail.id).where(Mail.reader_id == reader_id)
    session.execute(delete(MailAttempt).where(MailAttempt.mail_id.in_(theirs)))
    session.execute(delete(Mail).where(Mail.reader_id == reader_id))
