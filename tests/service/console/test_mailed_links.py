"""Invitations and forgotten passwords: the links, and who gets one."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select

from models.records import Moderator, Ticket
from models.settings import settings
from models.store.database import engine, reading
from service.console import mailed_links
from service.http.problems import Problem
from service.people import accounts, tickets
from tests.caller import Client, client_of
from tests.greenroom import PATIENCE, until
from tests.service.signed_in import PASSWORD, SignedIn


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def test_an_invitation_makes_an_account_once(ann: SignedIn) -> None:
    page = ann.confirmed("/sites/demo/people", email="Zoe@Paper.Example", role="moderator").text
    path = "/console/join/" + re.findall(r"/console/join/([\w-]+)", page)[0]
    guest = client_of(ann.client.application)
    assert "zoe@paper.example" in guest.get(path).text
    assert guest.post(path, data={"password": "short"}).status_code == 422
    assert guest.post(path, data={"password": "a long enough one"}).status_code == 303
    assert guest.post(path, data={"password": "another long one"}).status_code == 404
    assert accounts.check_password("zoe@paper.example", "a long enough one")
    assert "zoe@paper.example" in ann.get("/people")


def test_a_reset_ends_every_session_and_the_old_password(ann: SignedIn) -> None:
    path = "/console" + tickets.reset(ann.email, by="test").partition("/console")[2]
    guest = client_of(ann.client.application)
    assert "<title>Choose a new password" in guest.get(path).text
    assert guest.post(path, data={"password": "a long enough one"}).status_code == 303
    assert ann.client.get("/console/").status_code == 303
    assert accounts.check_password(ann.email, PASSWORD) is None
    with pytest.raises(ValueError, match="no account"):
        tickets.reset("nobody@paper.example", by="test")


@pytest.fixture
def mailing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a mail server on which nothing listens."""
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Record every statement that any thread sends to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine(), "before_cursor_execute", note)


def test_a_forgotten_password_is_no_link_without_a_mail_server(ann: SignedIn) -> None:
    assert "can't send email" in ann.client.get("/console/forgotten").text


@pytest.mark.usefixtures("mailing")
def test_a_forgotten_password_gets_one_answer_whether_there_is_an_account_or_not(
    ann: SignedIn,
) -> None:
    """The same words after the same statements, none of which looks for the account. So it also
    takes the same time.
    """
    guest, answers, asked = client_of(ann.client.application), [], []
    for email in (ann.email, "nobody@paper.example"):
        mailed_links.asked._tries.clear()
        with (
            statements() as sent,
            guest.post("/console/forgotten", data={"email": email}) as answer,
        ):
            answers.append(answer.text)
            asked.append(list(sent))
    assert answers[0] == answers[1]
    assert asked[0] == asked[1]
    assert not [statement for statement in asked[0] if "moderators" in statement]
    until(lambda: invited() == [ann.email])


def invited() -> list[str]:
    """Return to whom links were made."""
    with reading() as session:
        return list(session.scalars(select(Ticket.email)))


class Mailbox(threading.Thread):
    """A mail server on its own port that accepts one message."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.messages: list[str] = []

    def run(self) -> None:
        with suppress(OSError):  # the listening socket was closed
            while True:
                self.take(self.listening.accept()[0])

    def take(self, connection: socket.socket) -> None:
        message = ""
        with connection, connection.makefile("rwb", buffering=0) as talk:
            talk.write(b"220 here\r\n")
            while line := talk.readline():
                if line.upper().startswith(b"DATA"):
                    talk.write(b"354 go on\r\n")
                    while (part := talk.readline()) != b".\r\n":
                        message += part.decode()
                    self.messages.append(message)
                talk.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 fine\r\n")


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    mailbox.start()
    monkeypatch.setenv("GREENROOM_SMTP_URL", f"smtp://127.0.0.1:{mailbox.port}")
    settings.cache_clear()
    yield mailbox
    mailbox.listening.shutdown(socket.SHUT_RDWR)
    mailbox.listening.close()
    mailbox.join(PATIENCE)


def all_mail_is_sent() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "mail"]


def test_an_invitation_is_mailed_where_mail_can_be_sent(ann: SignedIn, mailbox: Mailbox) -> None:
    assert (
        "sent the link to"
        in ann.confirmed("/sites/demo/people", email="zoe@paper.example", role="viewer").text
    )
    until(all_mail_is_sent)
    (message,) = mailbox.messages
    assert "To: zoe@paper.example" in message
    assert "/console/join/" in message


def test_a_mailbox_gets_at_most_three_links_an_hour(ann: SignedIn, mailbox: Mailbox) -> None:
    with time_machine.travel(time.time()) as clock:
        answers = {ask_for_link(ann, f"192.0.2.{number}") for number in range(5)}
        assert len(mailbox.messages) == 3
        clock.shift(3601)
        answers.add(ask_for_link(ann, "192.0.2.9"))
    assert len(mailbox.messages) == 4
    assert len(answers) == 1
    assert ann.get("/log").count("was mailed a link to choose a new password") == 4


def ask_for_link(ann: SignedIn, address: str) -> str:
    """The answer to the form, after its mail was sent, if there is one."""
    answer = ann.client.post(
        "/console/forgotten", data={"email": ann.email}, environ_base={"REMOTE_ADDR": address}
    )
    with answer:
        text = answer.text
    until(all_mail_is_sent)
    return text


def test_a_new_email_address_must_be_verified_and_the_old_one_gets_a_message(
    ann: SignedIn, mailbox: Mailbox
) -> None:
    answer = ann.confirmed("/account/email", email="Ann@New.example").text
    assert "Greenroom has sent a link there" in answer
    until(all_mail_is_sent)
    assert "To: Ann@New.example" in mailbox.messages[0]
    assert accounts.check_password("ann@new.example", PASSWORD) is None

    path = re.findall(r"/console/join/[\w-]+", mailbox.messages[0])[0]
    guest = client_of(ann.client.application)
    assert "sign in with <b>ann@new.example</b>" in guest.get(path).text
    assert guest.post(path).status_code == 303
    assert accounts.check_password("ann@new.example", PASSWORD)
    assert accounts.check_password("ann@paper.example", PASSWORD) is None
    until(all_mail_is_sent)
    assert "To: ann@paper.example" in mailbox.messages[1]
    assert "now uses the address ann@new.example" in mailbox.messages[1]
    assert "ann@new.example" in ann.get("/account")
    assert guest.post(path).status_code == 404


def test_the_answer_does_not_say_whether_another_account_uses_the_address(
    client: Client, ann: SignedIn, mailbox: Mailbox
) -> None:
    SignedIn(client, "ben@paper.example", role="viewer")
    taken, free = (
        ann.confirmed("/account/email", email=email).text.replace(email, "")
        for email in ("ben@paper.example", "new@paper.example")
    )
    assert re.sub(r"\s+\d+ (sec|min)\w*", "", taken) == re.sub(r"\s+\d+ (sec|min)\w*", "", free)
    until(all_mail_is_sent)
    (message,) = mailbox.messages
    assert "To: new@paper.example" in message


def test_a_new_address_is_asked_for_at_most_three_times_an_hour(
    ann: SignedIn, mailbox: Mailbox
) -> None:
    statuses = [ann.confirmed("/account/email", email="x@new.example").status_code for _ in "1234"]
    assert statuses == [200, 200, 200, 429]
    assert ann.confirmed("/account/email", email="nonsense").status_code == 422
    until(all_mail_is_sent)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("after", ["a newer one", "a new password", "a reset", "it was used"])
def test_a_link_to_a_new_address_ends(after: str) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    with reading() as session:
        ann_id = session.scalars(select(Moderator.id)).one()
    ticket = ticket_to_new_address(ann_id)
    if after == "a newer one":
        ticket_to_new_address(ann_id)
    elif after == "a new password":
        accounts.change_password(ann_id, "another horse battery")
    elif after == "a reset":
        link = tickets.reset("ann@paper.example", by="x")
        assert tickets.use(link.rpartition("/")[2], "another horse battery")
    else:
        older = tickets.reset("ann@paper.example", by="x")
        assert tickets.use_new_address(ticket) == "ann@paper.example"
        assert tickets.find(older.rpartition("/")[2]) is None
    assert tickets.use_new_address(ticket) is None


def ticket_to_new_address(moderator_id: str) -> Ticket:
    link = tickets.new_address(moderator_id, "ann@new.example")
    ticket = tickets.find(str(link).rpartition("/")[2])
    assert ticket is not None
    assert not tickets.use(str(link).rpartition("/")[2], "sets no password")
    return ticket


@pytest.mark.usefixtures("data")
def test_an_address_that_another_account_got_meanwhile_is_refused() -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    with reading() as session:
        ann_id = session.scalars(select(Moderator.id)).one()
    ticket = ticket_to_new_address(ann_id)
    invitation = tickets.invite("ann@new.example", "demo", "viewer", by="x")
    assert tickets.use(invitation.rpartition("/")[2], PASSWORD)
    with pytest.raises(Problem, match="Another account already uses this address"):
        tickets.use_new_address(ticket)
