"""Old mails go, with their attempts; what is owed stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.records import Mail, MailAttempt, Proof
from models.store.database import begin, now, reading
from tests.caller import Client
from worker.mail.retention import tidy_mails


def test_mails_and_attempts_are_kept_for_a_month(client: Client) -> None:
    at = now()
    with begin() as session:
        for age in (31, 29):
            ended = at - timedelta(days=age)
            mail = Mail(site_id=1, kind="reply", state="sent", ended_at=ended, due=None)
            session.add(mail)
            session.flush()
            session.add(MailAttempt(mail_id=mail.id, at=ended, status=250, ms=1))
        session.add(Mail(site_id=1, kind="reply", created_at=at - timedelta(days=99), due=at))
    tidy_mails(at)
    with reading() as session:
        assert sorted(session.scalars(select(Mail.state))) == ["owed", "sent"]
        assert len(session.scalars(select(MailAttempt)).all()) == 1


def test_a_confirmation_goes_when_it_has_expired(client: Client) -> None:
    at = now()
    with begin() as session:
        for number, age in enumerate((1, -1)):
            session.add(
                Proof(
                    site_id=1,
                    address=b"1",
                    address_index="a",
                    secret_hash=str(number),
                    code_hash="c",
                    expires_at=at - timedelta(minutes=age),
                )
            )
    tidy_mails(at)
    with reading() as session:
        assert session.scalars(select(Proof.secret_hash)).all() == ["1"]
