"""Owe a mail: write its row in the transaction of what it tells. `worker/mail/` sends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Tuple, delete, select, tuple_, update
from sqlalchemy.orm import Session

from models.identifiers import new_id
from models.mailing.smtp import can_send
from models.records import (
    Follow,
    Mail,
    MailAttempt,
    Mailbox,
    Proof,
    Reader,
    ReaderKey,
    Thread,
)
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
    """Delete all that mail needs to know about a reader: mails with their attempts, keys, followed
    threads, choices, and confirmations of the address.

    Every transaction locks threads before mails, and mails before what belongs to their addresses.
    """
    reader = session.get(Reader, reader_id)
    _unfollow_all(session, reader_id)
    theirs = Mail.reader_id == reader_id
    its = (reader.site_id, reader.email_index) if reader and reader.email_index else None
    if its:
        theirs |= _address_of(Mail) == its
    in_order = select(Mail.id).where(theirs).order_by(Mail.id).with_for_update()
    mails = session.scalars(in_order).all()  # locked, so that no attempt is added meanwhile
    session.execute(delete(MailAttempt).where(MailAttempt.mail_id.in_(mails)))
    session.execute(delete(Mail).where(Mail.id.in_(mails)))
    if its:
        session.execute(delete(Mailbox).where(_address_of(Mailbox) == its))
        session.execute(delete(Proof).where(_address_of(Proof) == its))
    session.execute(delete(ReaderKey).where(ReaderKey.reader_id == reader_id))


def _unfollow_all(session: Session, reader_id: str) -> None:
    followed = delete(Follow).where(Follow.reader_id == reader_id).returning(Follow.thread_id)
    for thread_id in sorted(session.scalars(followed).all()):
        fewer = update(Thread).where(Thread.id == thread_id)
        session.execute(fewer.values(followers=Thread.followers - 1))


def _address_of(record: type[Mail | Mailbox | Proof]) -> Tuple:
    return tuple_(record.site_id, record.address_index)
