"""Owing a mail writes a row, and cancelling it forgets what the mail would have said."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from models.identifiers import new_id
from models.mailing.outbox import cancel_mails, forget_reader, owe_mail
from models.records import Follow, Mail, MailAttempt, Mailbox, Reader, ReaderKey, Thread
from models.settings import settings
from models.store.database import begin, now, reading
from models.store.secrets import decrypt_email, email_index
from tests.caller import Client, posted

LETTER = {"subject": "Hello", "paragraphs": ["How are you?"]}


@pytest.fixture(autouse=True)
def _mail_is_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()


def owe(comment_id: str | None = None, once: str | None = None) -> str | None:
    with begin() as session:
        return owe_mail(
            session,
            site_id=1,
            to="Ann@Example.org",
            kind="notice_receipt",
            data=LETTER,
            comment_id=comment_id,
            once=once,
        )


def mails() -> list[Mail]:
    with reading() as session:
        found = list(session.scalars(select(Mail)))
        session.expunge_all()
    return found


def test_an_owed_mail_keeps_its_address_encrypted() -> None:
    owe()
    (mail,) = mails()
    assert mail.address is not None
    assert b"xample" not in mail.address
    assert decrypt_email(mail.address) == "Ann@Example.org"
    assert mail.address_index == email_index("ann@example.org")
    assert (mail.state, mail.data) == ("owed", LETTER)


def test_nothing_is_owed_where_no_mail_server_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREENROOM_SMTP_URL")
    settings.cache_clear()
    assert owe() is None
    assert mails() == []


def test_a_mail_that_may_be_owed_once_is_owed_once() -> None:
    assert owe(once="reply:1")
    assert owe(once="reply:1") is None
    assert len(mails()) == 1


def test_a_cancelled_mail_keeps_neither_address_nor_text() -> None:
    comment = new_id()
    owe(comment)
    with begin() as session:
        cancel_mails(session, [comment])
    (mail,) = mails()
    assert (mail.state, mail.due, mail.address, mail.data) == ("cancelled", None, None, {})


def test_nothing_of_an_erased_reader_s_mail_is_left(client: Client) -> None:
    reader, index = new_id(), email_index("ann@example.org")
    owe()
    posted(client)
    with begin() as session:
        session.add(Reader(id=reader, site_id=1, kind="proven", subject="a", email_index=index))
        session.flush()
        session.add(Mailbox(site_id=1, address_index=index))
        session.add(ReaderKey(reader_id=reader, hash="h"))
        session.add(Follow(thread_id=1, reader_id=reader))
        session.execute(update(Thread).values(followers=1))
    with begin() as session:
        mail = owe_mail(session, site_id=1, reader_id=reader, kind="reply", data={})
        session.add(MailAttempt(mail_id=mail, at=now(), status=250, ms=1))
    with begin() as session:
        forget_reader(session, reader)
    assert mails() == []
    with reading() as session:
        for record in (MailAttempt, Mailbox, ReaderKey, Follow):
            assert session.scalars(select(record)).all() == []
        assert session.scalars(select(Thread.followers)).one() == 0
