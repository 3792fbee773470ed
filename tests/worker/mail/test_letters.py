"""Which mails readers get about comments, and when a mail is no longer true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape

import pytest
import time_machine
from sqlalchemy import event, select, update

from models.mailing.choices import choices_token
from models.records import Comment, Follow, Mail, Mailbox, Reader, Statement, Thread
from models.settings import settings
from models.store.database import begin, engine, now, reading
from models.store.receipts import receipt_of
from models.store.secrets import email_index, encrypt_email
from tests.caller import Caller, Client, posted, publish_all, screen_all
from tests.fakes.mail_server import MailServer, Received
from worker.mail import sending
from worker.mail.letters import next_digest, quoted


@pytest.fixture(autouse=True)
def server(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        monkeypatch.setenv("GREENROOM_SMTP_URL", server.url)
        monkeypatch.setenv("GREENROOM_PUBLIC_URL", "https://comments.example")
        monkeypatch.setenv("GREENROOM_MAIL_DELAY_SECONDS", "0")
        settings.cache_clear()
        yield server


def reader(name: str = "Ann") -> str:
    address = f"{name.lower()}@example.org"
    with begin() as session:
        row = Reader(site_id=1, kind="proven", subject=name, name=name)
        row.email, row.email_index = encrypt_email(address), email_index(address)
        session.add(row)
        session.flush()
        return row.id


def the_comment() -> str:
    with reading() as session:
        return session.scalars(select(Comment.id)).one()


def written_by(reader_id: str, comment: str) -> str:
    with begin() as session:
        session.execute(update(Comment).where(Comment.id == comment).values(reader_id=reader_id))
    return comment


def choose(**choices: str) -> None:
    with begin() as session:
        index = email_index("ann@example.org")
        session.add(Mailbox(site_id=1, address_index=index, **choices))


@pytest.fixture
def ann(client: Client) -> str:
    """A reader with a published comment."""
    id_ = reader()
    written_by(id_, posted(client))
    screen_all()
    publish_all()
    return id_


def reply(client: Client, number: int = 0) -> str:
    with reading() as session:
        parent = session.scalars(select(Comment.id).order_by(Comment.id)).first()
    said = f"I see it differently, and that is my reason number {number}."
    return posted(client, parent=parent, name="Zoe", email=f"zoe{number}@example.org", body=said)


def mailed(server: MailServer, *, after: timedelta = timedelta(0)) -> list[Received]:
    with time_machine.travel(now() + after):
        sending.send_now()
    return server.received


def states() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Mail.state).order_by(Mail.id)))


def test_a_reply_is_mailed_once_readers_see_it(
    client: Client, ann: str, server: MailServer
) -> None:
    answer = reply(client)
    screen_all()
    assert mailed(server) == []  # approved, but no page shows it yet
    publish_all()
    (mail,) = mailed(server, after=timedelta(seconds=6))
    assert mail.to == "ann@example.org"
    assert mail.message["Subject"] == "Zoe replied to your comment"
    assert "> I see it differently" in mail.plain
    assert f"https://comments.example/sites/demo/c/{answer}" in mail.plain
    assert f"https://comments.example/sites/demo/c/{answer}" in mail.html


def test_every_such_mail_can_be_unsubscribed_with_one_click(
    client: Client, ann: str, server: MailServer
) -> None:
    reply(client)
    screen_all()
    publish_all()
    (mail,) = mailed(server)
    page = f"https://comments.example/sites/demo/mail/{choices_token(ann)}"
    assert mail.message["List-Unsubscribe"] == f"<{page}?list=replies>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.message["List-Id"] == "<replies.demo.comments.example>"
    one_click = {"List-Unsubscribe": "One-Click"}
    path = mail.message["List-Unsubscribe"][1:-1].removeprefix("https://comments.example")
    assert client.post(path, data=one_click).status_code == 200
    reply(client, 1)
    screen_all()
    publish_all()
    assert len(mailed(server)) == 1
    assert states() == ["sent", "cancelled"]


def test_a_reply_that_is_removed_meanwhile_is_not_mailed(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    answer = reply(client)
    screen_all()
    publish_all()
    moderator.decide(answer, "reject", reason="abuse")
    assert mailed(server) == []
    assert states() == ["cancelled"]


def test_an_erased_reply_is_not_mailed(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    answer = reply(client)
    screen_all()
    publish_all()
    assert moderator.call("DELETE", f"/comments/{answer}").status_code == 204
    assert states() == ["cancelled"]


def test_a_human_decision_is_mailed_to_the_author(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    comment = the_comment()
    moderator.decide(comment, "reject", reason="abuse")
    (mail,) = mailed(server)
    assert mail.message["Subject"] == "Your comment was rejected"
    assert f"/sites/demo/receipts/{comment}." in mail.plain
    with reading() as session:
        statement = session.scalars(select(Statement)).one()
    for form in (mail.plain, unescape(mail.html)):
        assert statement.title in " ".join(form.split())
    moderator.decide(comment, "approve")
    assert mailed(server)[1].message["Subject"] == "Your comment has been published"


def test_a_mail_holds_the_statement_of_reasons_and_the_answer_to_an_appeal(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    comment = the_comment()
    moderator.decide(comment, "reject", reason="abuse", answer="Leave out the second half.")
    (mail,) = mailed(server)
    plain = " ".join(mail.plain.split())
    assert "Why your comment was rejected: No insults, threats or hate" in plain
    assert "A moderator decided. No automatic check was involved." in plain
    assert "The moderator wrote to you: Leave out the second half." in plain
    assert "You can appeal once, until" in plain
    place = f"/v1/receipts/{receipt_of(comment)}/appeal"
    for verdict, outcome in (("reject", "rejected your comment again"), ("approve", "published")):
        if verdict == "reject":
            assert client.post(place, json={"text": "Why?"}).status_code == 201
        else:
            moderator.undo(comment)
        moderator.decide(comment, verdict, reason="abuse", answer="We read it twice.")
        plain = " ".join(mailed(server)[-1].plain.split())
        assert f"A moderator read your appeal and {outcome}" in plain
        assert plain.count("We read it twice.") == 1


def test_a_rejection_is_mailed_although_the_text_changed_and_the_author_appealed(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    comment = the_comment()
    moderator.decide(comment, "reject", reason="abuse")
    place = f"/v1/receipts/{receipt_of(comment)}/appeal"
    assert client.post(place, json={"text": "Why?"}).status_code == 201
    new = {"body": "The ferry was late.", "note": "Without the insult."}
    assert moderator.call("PATCH", f"/comments/{comment}", json=new).status_code == 200
    assert [mail.message["Subject"] for mail in mailed(server)] == ["Your comment was rejected"]


def test_an_upheld_appeal_that_was_undone_is_not_mailed(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    comment = the_comment()
    moderator.decide(comment, "reject", reason="abuse")
    place = f"/v1/receipts/{receipt_of(comment)}/appeal"
    assert client.post(place, json={"text": "Why?"}).status_code == 201
    moderator.decide(comment, "reject", reason="abuse", answer="We read it twice.")
    moderator.undo(comment)
    (mail,) = mailed(server)  # about the rejection, which stands
    assert "We read it twice." not in mail.plain
    assert sorted(states()) == ["cancelled", "sent"]


def test_an_undone_decision_and_a_rejection_of_spam_are_not_mailed(
    client: Client, moderator: Caller, ann: str, server: MailServer
) -> None:
    comment = the_comment()
    moderator.decide(comment, "reject", reason="spam")
    assert states() == []
    moderator.undo(comment)
    moderator.decide(comment, "reject", reason="abuse")
    moderator.undo(comment)
    assert all("rejected" not in mail.message["Subject"] for mail in mailed(server))


def test_what_the_policy_approves_is_not_mailed_to_its_author(ann: str) -> None:
    assert states() == []


def follow(reader_id: str) -> None:
    with begin() as session:
        thread = session.scalars(select(Thread)).one()
        session.add(Follow(thread_id=thread.id, reader_id=reader_id))
        thread.followers += 1


def test_followers_get_new_comments_of_five_minutes_in_one_mail(
    client: Client, ann: str, server: MailServer
) -> None:
    ben = reader("Ben")
    follow(ann)
    follow(ben)
    written_by(ben, posted(client, name="Ben", email="ben@example.org", body="Mine, a new one."))
    posted(client, name="Zoe", email="zoe@example.org", body="And this is another one.")
    screen_all()
    publish_all()
    assert mailed(server) == []
    mails = mailed(server, after=timedelta(minutes=6))
    told = {mail.to: mail for mail in mails}
    assert len(mails) == 2
    assert "Mine, a new one." in told["ann@example.org"].plain
    assert "And this is another one." in told["ann@example.org"].plain
    assert "Mine, a new one." not in told["ben@example.org"].plain
    assert "?list=thread-" in told["ben@example.org"].message["List-Unsubscribe"]


def test_a_reader_who_wants_one_mail_a_day_gets_one(
    client: Client, ann: str, server: MailServer
) -> None:
    choose(replies="daily", decisions="now", threads="now")
    for number in range(4):
        reply(client, number)
    screen_all()
    publish_all()
    assert mailed(server) == []
    (mail,) = mailed(server, after=timedelta(days=1, minutes=1))
    assert mail.message["Subject"] == "What is new on paper.example"
    assert mail.plain.count("Zoe replied to your comment") == 4
    assert "?list=all" in mail.message["List-Unsubscribe"]


def test_digests_go_out_at_six_in_the_morning() -> None:
    noon = datetime.fromisoformat("2026-05-01T12:00:00Z")
    assert next_digest(noon).isoformat() == "2026-05-02T06:00:00+00:00"
    assert next_digest(noon - timedelta(hours=7)).isoformat() == "2026-05-01T06:00:00+00:00"


def test_a_long_comment_is_quoted_in_part() -> None:
    assert len(quoted("word " * 1000)) < 810
    assert quoted("short") == "short"


def test_a_site_without_known_readers_pays_no_query(client: Client) -> None:
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.append(str(told[2]))

    posted(client)
    event.listen(engine(), "before_cursor_execute", note)
    screen_all()
    event.remove(engine(), "before_cursor_execute", note)
    assert statements
    assert not [each for each in statements if re.search(r"\b(mails|mailboxes|follows)\b", each)]
