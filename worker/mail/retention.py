"""Delete old mails, attempts and confirmations, a little at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select

from models.records import Mail, MailAttempt, Proof
from models.store.database import begin, reading

KEPT = timedelta(days=30)  # the log of mails and attempts, counted from their end
AT_ONCE = 500
MOST_LOTS = 200  # rows at a time; the next run deletes the rest


def tidy_mails(at: datetime) -> None:
    _remove(MailAttempt, MailAttempt.at < at - KEPT)
    unlogged = ~select(MailAttempt.id).where(MailAttempt.mail_id == Mail.id).exists()
    _remove(Mail, (Mail.ended_at < at - KEPT) & unlogged)
    _remove(Proof, Proof.expires_at < at)


def _remove(record: type[Mail | MailAttempt | Proof], which: ColumnElement[bool]) -> None:
    with reading() as session:
        if session.execute(select(record.id).where(which).limit(1)).first() is None:
            return
    some = select(record.id).where(which).limit(AT_ONCE).scalar_subquery()
    for _ in range(MOST_LOTS):
        with begin() as session:
            removed = session.execute(
                delete(record).where(record.id.in_(some)).returning(record.id)
            ).all()
        if len(removed) < AT_ONCE:
            return
