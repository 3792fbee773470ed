"""Every owed mail is delivered at least once or is dead with its log, whatever the server does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from models.mailing.outbox import owe_mail
from models.records import Mail, MailAttempt, Mailbox
from models.settings import settings
from models.store.database import begin, now, reading
from tests.caller import Client
from tests.fakes.mail_server import MailServer
from tests.ports import free_port
from worker.mail import sending
from worker.sweep import sweep

Serve = Callable[..., MailServer]


@pytest.fixture
def serve(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start the mail server, with its manners."""
    servers: list[MailServer] = []

    def start(**manners: object) -> MailServer:
        server = MailServer(**manners).__enter__()  # type: ignore[arg-type]
        servers.append(server)
        use(monkeypatch, server.url)
        return server

    monkeypatch.setattr(sending, "FIRST_PAUSE_SECONDS", 0.01)
    yield start
    for server in servers:
        server.__exit__()


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GREENROOM_SMTP_URL", url)
    monkeypatch.setenv("GREENROOM_MAIL_FROM", "Paper <mail@paper.example>")
    settings.cache_clear()


def owe(*addresses: str) -> None:
    letter = {"subject": "Hello", "paragraphs": ["How are you?"]}
    with begin() as session:
        for to in addresses:
            owe_mail(session, site_id=1, to=to, kind="notice_receipt", data=letter)


def states() -> Counter[str]:
    with reading() as session:
        return Counter(session.scalars(select(Mail.state)))


def attempts() -> list[tuple[int | None, str | None]]:
    with reading() as session:
        rows = session.execute(select(MailAttempt.status, MailAttempt.error))
        return [(row.status, row.error) for row in rows]


def test_mails_go_over_one_connection_and_keep_no_address(serve: Serve) -> None:
    server = serve()
    owe("ann@example.org", "ben@example.org")
    sending.send_now()
    assert sorted(mail.to for mail in server.received) == ["ann@example.org", "ben@example.org"]
    assert server.connections == 1
    assert states() == {"sent": 2}
    with reading() as session:
        assert set(session.execute(select(Mail.address, Mail.due))) == {(None, None)}


def test_a_message_has_the_headers_that_mail_programs_and_relays_want(serve: Serve) -> None:
    server = serve()
    owe("ann@example.org")
    sending.send_now()
    (mail,) = server.received
    with reading() as session:
        mail_id = session.scalars(select(Mail.id)).one()
    assert mail.message["Message-ID"] == f"<{mail_id}@paper.example>"
    assert mail.message["From"] == "Paper <mail@paper.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Date"]
    assert "How are you?" in mail.plain
    assert "How are you?" in mail.html


def test_an_address_that_does_not_exist_gets_no_more_mail(serve: Serve) -> None:
    server = serve(
        recipient=lambda to: "550 5.1.1 no <BEN@example.org> here" if "BEN" in to else "250 ok"
    )
    owe("BEN@example.org", "ann@example.org")
    sending.send_now()
    assert states() == {"sent": 1, "dead": 1}
    owe("ben@example.org")
    sending.send_now()
    assert states() == {"sent": 1, "dead": 1, "cancelled": 1}
    assert len(server.received) == 1
    error = "The mail server answered 550: 5.1.1 no <(the address)> here"
    assert (550, error) in attempts()
    with reading() as session:
        assert session.scalars(select(Mailbox.stopped_why)).all() == [error]


def test_a_relay_that_does_not_relay_says_nothing_about_the_address(serve: Serve) -> None:
    serve(recipient=lambda _: "554 5.7.1 relay access denied")
    owe("ann@example.org")
    sending.send_now()
    assert states() == {"owed": 1}
    with reading() as session:
        assert session.scalars(select(Mailbox)).all() == []


def test_a_refusal_for_now_is_tried_again_later(serve: Serve) -> None:
    server = serve(recipient=lambda _: "451 4.7.1 try later")
    owe("ann@example.org")
    sending.send_now()
    assert states() == {"owed": 1}
    server.recipient = lambda _: "250 ok"
    sending.send_now()
    assert not server.received  # not yet due
    with time_machine.travel(now() + timedelta(minutes=2)):
        sending.send_now()
    assert states() == {"sent": 1}
    assert [status for status, _ in attempts()] == [451, 250]


def test_a_mail_is_dead_after_its_last_attempt(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_MAIL_SCHEDULE", "0,0,0")
    serve(content=lambda _: "451 no")
    owe("ann@example.org")
    sending.send_now()
    assert states() == {"dead": 1}
    assert attempts() == [(451, "The mail server answered 451: no")] * 3


def test_a_refused_text_is_dead_at_once_but_stops_no_address(serve: Serve) -> None:
    serve(content=lambda _: "554 looks like spam")
    owe("ann@example.org")
    sending.send_now()
    assert states() == {"dead": 1}
    with reading() as session:
        assert session.scalars(select(Mailbox)).all() == []


def test_a_connection_that_breaks_leaves_the_rest_to_the_next_one(serve: Serve) -> None:
    server = serve(hangs_up_after=2)
    owe(*(f"reader{number}@example.org" for number in range(5)))
    sending.send_now()
    with time_machine.travel(now() + timedelta(minutes=2)):
        sending.send_now()
    assert {mail.to for mail in server.received} == {
        f"reader{number}@example.org" for number in range(5)
    }
    assert states() == {"sent": 5}


def test_while_no_server_answers_the_mails_stay_owed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(sending, "FIRST_PAUSE_SECONDS", 0.01)
    use(monkeypatch, f"smtp://127.0.0.1:{port}")
    owe("ann@example.org")
    sending.send_now()
    assert states() == {"owed": 1}
    ((status, error),) = attempts()
    assert status is None
    assert error is not None
    assert "ConnectionRefusedError" in error
    with MailServer(port) as server, time_machine.travel(now() + timedelta(minutes=2)):
        sending.send_now()
        assert len(server.received) == 1


def test_a_mail_of_a_sender_that_died_is_sent_when_its_lease_has_expired(serve: Serve) -> None:
    server = serve()
    owe("ann@example.org")
    assert len(sending.claim(now())) == 1
    sending.send_now()
    assert not server.received
    with time_machine.travel(now() + timedelta(minutes=5)):
        sending.send_now()
    assert len(server.received) == 1


def test_the_sweep_sends_what_is_due_while_the_broker_is_silent(serve: Serve) -> None:
    server = serve()
    owe("ann@example.org")
    sweep()
    sending.wait()
    assert len(server.received) == 1
