"""Delete old mails, attempts and confirmations, a little at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from models.records import Mail, MailAttempt, Proof
from worker.lots import delete_in_lots

KEPT = timedelta(days=30)  # the log of mails and attempts, counted from their end


def tidy_mails(at: datetime) -> None:
    delete_in_lots(MailAttempt, MailAttempt.at < at - KEPT)
    unlogged = ~select(MailAttempt.id).where(MailAttempt.mail_id == Mail.id).exists()
    delete_in_lots(Mail, (Mail.ended_at < at - KEPT) & unlogged)
    delete_in_lots(Proof, Proof.expires_at < at)
