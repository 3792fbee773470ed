"""Accounts: a second factor, links that let in once, roles; blocks, notes, questions, threads,
settings and the log.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyotp
import pytest
import time_machine
from sqlalchemy import event, select

from models.records import Block, Comment, Moderator, Site, Thread, Ticket
from models.settings import settings
from models.store.database import engine, reading
from service.console import account, signing_in, team
from service.people import accounts, tickets
from tests.caller import Caller, Client, client_of, posted, screen_all
from tests.greenroom import PATIENCE, until
from tests.service.signed_in import LINKS, PASSWORD, SignedIn


@pytest.fixture
def ann(client: Client) -> SignedIn:
    account.codes._tries.clear()
    team.asked._tries.clear()
    return SignedIn(client)


@pytest.fixture
def held(ann: SignedIn) -> str:
    comment = posted(ann.client, body=LINKS)
    screen_all()
    return comment


def status_of(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def enrol(ann: SignedIn) -> tuple[str, list[str]]:
    """The secret, and the recovery codes."""
    page = ann.form("/account/second-factor").text
    secret, sealed = (
        re.findall(r"<code>(\w+)</code>", page)[0],
        re.findall(r'name="secret" value="([^"]+)"', page)[0],
    )
    assert (
        ann.form("/account/second-factor/confirm", secret=sealed, code="000000").status_code == 422
    )
    done = ann.form(
        "/account/second-factor/confirm", secret=sealed, code=pyotp.TOTP(secret).now()
    ).text
    return secret, re.findall(r"<li>([\w-]+)</li>", done)


def first_step(client: Client, email: str = "ann@paper.example") -> str:
    """With the password alone: what the form for the code carries."""
    signing_in.guesses._tries.clear()
    page = client.post("/console/sign-in", data={"email": email, "password": PASSWORD})
    assert client.get_cookie("greenroom_console", path="/console") is None
    return re.findall(r'name="pass" value="([^"]+)"', page.text)[0]


def second_step(client: Client, passed: str, code: str) -> int:
    account.codes._tries.clear()
    return client.post("/console/sign-in/code", data={"pass": passed, "code": code}).status_code


def test_with_a_second_factor_the_password_alone_opens_nothing(ann: SignedIn) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        secret, _ = enrol(ann)
        other = client_of(ann.client.application)
        passed = first_step(other)
        assert second_step(other, passed, "123456") == 403
        assert second_step(other, "forged", pyotp.TOTP(secret).now()) == 403
        assert (
            second_step(other, passed, pyotp.TOTP(secret).now()) == 403
        )  # the one that turned it on
        clock.shift(60)
        assert second_step(other, passed, pyotp.TOTP(secret).now()) == 303
        assert other.get("/console/").status_code == 200
        third = client_of(ann.client.application)
        assert (
            second_step(third, first_step(third), pyotp.TOTP(secret).now()) == 403
        )  # each works once


def test_a_recovery_code_lets_in_once(ann: SignedIn) -> None:
    _, codes = enrol(ann)
    assert len(set(codes)) == 10
    other = client_of(ann.client.application)
    assert second_step(other, first_step(other), codes[0]) == 303
    again = client_of(ann.client.application)
    assert second_step(again, first_step(again), codes[0]) == 403
    assert "9 recovery codes left" in ann.get("/account")


def test_guessing_codes_is_slowed(ann: SignedIn) -> None:
    enrol(ann)
    other = client_of(ann.client.application)
    passed = first_step(other)
    tries = [
        other.post("/console/sign-in/code", data={"pass": passed, "code": f"{n:06}"})
        for n in range(6)
    ]
    assert 429 in [answer.status_code for answer in tries]


def test_the_second_factor_ends_with_the_password(ann: SignedIn) -> None:
    enrol(ann)
    assert ann.form("/account/second-factor/end", password="wrong").status_code == 403
    account.codes._tries.clear()
    assert ann.form("/account/second-factor/end", password=PASSWORD).status_code == 303
    assert "Turn it on" in ann.get("/account")


def test_an_invitation_makes_an_account_once(ann: SignedIn) -> None:
    page = ann.form("/sites/demo/people", email="Zoe@Paper.Example", role="moderator").text
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
    assert guest.post(path, data={"password": "a long enough one"}).status_code == 303
    assert ann.client.get("/console/").status_code == 303
    assert accounts.check_password(ann.email, PASSWORD) is None
    with pytest.raises(ValueError, match="no account"):
        tickets.reset("nobody@paper.example", by="test")


@pytest.fixture
def mailing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server is configured; nobody listens there."""
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that any thread sends to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine(), "before_cursor_execute", note)


def test_a_forgotten_password_is_no_link_without_a_mail_server(ann: SignedIn) -> None:
    assert "sends no mail" in ann.client.get("/console/forgotten").text


@pytest.mark.usefixtures("mailing")
def test_a_forgotten_password_gets_one_answer_whether_there_is_an_account_or_not(
    ann: SignedIn,
) -> None:
    """The same words after the same statements, none of which looks for the account. So it also
    takes the same time.
    """
    guest, answers, asked = client_of(ann.client.application), [], []
    for email in (ann.email, "nobody@paper.example"):
        team.asked._tries.clear()
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
    """To whom links were made."""
    with reading() as session:
        return list(session.scalars(select(Ticket.email)))


def test_a_site_keeps_an_owner_and_whoever_is_removed_is_out_at_once(
    client: Client, ann: SignedIn
) -> None:
    ben = SignedIn(client, "ben@paper.example", role="owner")
    ids = dict(
        re.findall(r'<td>([\w@.]+)(?: \(you\))?</td>.*?/people/([\w-]+)"', ann.get("/people"), re.S)
    )
    assert ann.form(f"/sites/demo/people/{ids[ben.email]}", role="remove").status_code == 303
    assert ben.listed() == []
    assert ben.form("/settings/demo", do="save").status_code == 404
    answer = ann.form(f"/sites/demo/people/{ids[ann.email]}", role="viewer")
    assert answer.status_code == 409
    assert "needs an owner" in answer.text


def test_block_and_review_their_others_is_one_batch_to_undo(ann: SignedIn, held: str) -> None:
    others = [posted(ann.client, body=f"{n} {LINKS}") for n in range(3)]
    screen_all()
    assert "reject their 3 others" in ann.get(f"/items/{held}")
    fields = {"kind": "author", "stance": "block", "days": "7", "others": "1"}
    assert ann.form(f"/comments/{held}/block", **fields).status_code == 303
    assert {status_of(comment) for comment in (held, *others)} == {"rejected"}
    (group,) = ann.client.get("/console/recent").json["recent"]
    ann.call("/undo", decisions=group["decisions"])
    assert {status_of(comment) for comment in (held, *others)} == {"flagged"}
    page = ann.get("/blocks")
    assert "Blocked" in page
    assert "ann@example.org" not in page
    with reading() as session:
        block = session.scalars(select(Block.id)).one()
    assert ann.form(f"/blocks/{block}/end").status_code == 303
    assert "Nothing is blocked" in ann.get("/blocks")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "host", "value": "nodot"},
        {"kind": "word", "value": "   "},
        {"kind": "colour", "value": "red"},
        {"kind": "word", "value": "x", "days": "9999"},
    ],
)
def test_a_block_of_nothing_is_refused_in_words(
    ann: SignedIn, held: str, wrong: dict[str, str]
) -> None:
    assert ann.form(f"/comments/{held}/block", **wrong).status_code == 422


def test_a_note_on_an_author_stands_at_all_their_comments(ann: SignedIn, held: str) -> None:
    other = posted(ann.client, body=f"Another {LINKS}", thread="/other")
    screen_all()
    ann.form(f"/comments/{held}/notes", about="author", text="Known from <b>last</b> year")
    assert "Known from &lt;b&gt;last&lt;/b&gt; year" in ann.get(f"/items/{other}")
    assert ann.form(f"/comments/{held}/notes", about="author", text=" ").status_code == 422


def test_a_question_comes_back_with_its_answer(client: Client, ann: SignedIn, held: str) -> None:
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    assert (
        ben.form(f"/comments/{held}/questions", whom="owner", text="Is this libel?").status_code
        == 303
    )
    assert ann.listed("?tab=asked") == [held]
    page = ann.get(f"/items/{held}")
    assert "Is this libel?" in page
    question = re.findall(r"/questions/([\w-]+)/answer", page)[0]
    assert ann.form(f"/questions/{question}/answer", text="No, let it stand.").status_code == 303
    assert ann.form(f"/questions/{question}/answer", text="Twice").status_code == 409
    assert ann.listed("?tab=asked") == []
    assert ben.listed("?tab=asked") == [held]  # it came back, with the answer
    assert "No, let it stand." in ben.get(f"/items/{held}")
    ben.decide(held)
    assert ben.listed("?tab=asked") == []


def test_a_question_stands_at_whom_it_was_put_to_and_nobody_else(
    client: Client, ann: SignedIn, held: str
) -> None:
    ben, kim = (
        SignedIn(client, f"{name}@paper.example", role="moderator") for name in ("ben", "kim")
    )
    with reading() as session:
        bens = session.scalars(select(Moderator.id).where(Moderator.email == ben.email)).one()
    ann.form(f"/comments/{held}/questions", whom=f"moderator:{bens}", text="Do you know her?")
    assert [each.listed("?tab=asked") for each in (ann, ben, kim)] == [[], [held], []]
    assert ann.client.get("/console/counts").json["asked"] == 0
    assert ben.client.get("/console/counts").json["asked"] == 1
    ann.form(f"/comments/{held}/questions", whom="moderator", text="Or does anyone?")
    assert [each.listed("?tab=asked") for each in (ann, ben, kim)] == [[], [held], [held]]


def test_a_thread_is_closed_read_first_and_slowed_down_from_the_item(
    ann: SignedIn, held: str
) -> None:
    with reading() as session:
        thread = session.get_one(Comment, held).thread_id
    for fields in ({"way": "closed"}, {"way": "before"}, {"slow": "300"}):
        assert ann.form(f"/threads/{thread}", **fields).status_code == 303
    with reading() as session:
        row = session.get_one(Thread, thread)
    assert (row.state, row.moderation, row.slow_seconds) == ("closed", "before", 300)
    assert "Reader" not in ann.get(f"/threads/{thread}")
    assert "held for review" in ann.get(f"/threads/{thread}")


def test_settings_are_tried_before_saving_and_saved_over_the_version_seen(ann: SignedIn) -> None:
    tried = ann.form(
        "/settings/demo", do="try", version="1", blocked="lotter*", text="Win the LOTTERY today"
    ).text
    assert "uses the blocked word" in tried
    assert (
        ann.form("/settings/demo", do="save", version="1", blocked="lotter*\nspam king").status_code
        == 303
    )
    with reading() as session:
        policy = session.scalars(select(Site.policy)).one()
    assert policy["words"]["blocked"] == ["lotter*", "spam king"]
    assert policy["links"]["max_links"] == 2
    assert ann.form("/settings/demo", do="save", version="1", blocked="").status_code == 409
    wrong = ann.form("/settings/demo", **{"do": "save", "version": "2", "links.max_links": "many"})
    assert wrong.status_code == 422
    assert "Links that are fine in one comment: " in wrong.text
    assert 'value="many"' in wrong.text  # nothing typed is lost
    assert (
        ann.form("/settings/demo", do="save", version="2", blocked_patterns="(open").status_code
        == 422
    )


def test_the_settings_page_explains_each_disguise_of_a_word_and_switches_them(
    ann: SignedIn,
) -> None:
    page = ann.get("/settings?site=demo")
    for example in (
        "viagras",
        "v1agra",
        "viagra2",
        "ᏙᎥᎪᎶᎡᎪ",
        "🇻🇮🇦🇬🇷🇦",
        "viःagra",
        "via_gra_",
        "via-gra",
        "via gra",
    ):
        assert f"“{example}”" in page, example
    text = {"blocked": "viagra", "text": "v1agra and viagras", "version": "1"}
    assert "uses the blocked word" in ann.form("/settings/demo", do="try", **text).text
    off = {"words.plurals": "no", "words.digits_as_letters": "no", "words.split": "reject"}
    assert "uses the blocked word" not in ann.form("/settings/demo", **text, **off, do="try").text
    assert ann.form("/settings/demo", **off, do="save", version="1").status_code == 303
    with reading() as session:
        words = session.scalars(select(Site.policy)).one()["words"]
    assert (words["plurals"], words["digits_as_letters"], words["split"]) == (
        False,
        False,
        "reject",
    )


def test_settings_are_tried_on_the_past_before_saving(ann: SignedIn, held: str) -> None:
    fields = {"links.max_links": "9", "links.shorteners": "ignore", "spam.flag_above": "1"}
    page = ann.form(
        "/settings/demo", **{"do": "replay", "version": "1", "blocked": "example", **fields}
    ).text
    assert (
        "settled comments this would have decided <b>1</b> otherwise: 1 rejected instead of held."
        in page
    )
    assert "It would have contradicted no moderator." in page
    assert ">example</textarea>" in page  # nothing typed is lost
    with reading() as session:
        assert session.scalars(select(Site.policy_version)).one() == 1


def test_the_log_tells_who_did_what_and_is_exported_as_text_that_no_spreadsheet_runs(
    ann: SignedIn, held: str, moderator: Caller
) -> None:
    formula = posted(ann.client, name="=HYPERLINK(1)", body=f"formula {LINKS}")
    screen_all()
    ann.decide(held, formula, verdict="reject", reason="spam", note="=1+1")
    ann.form("/settings/demo", do="save", version="1", blocked="x")
    ann.form("/sites/demo/people", email="zoe@paper.example", role="viewer")
    page = ann.get("/log")
    for words in (
        "rejected the comment by Ann",
        "as spam",
        "saved the settings, version 2",
        "invited zoe@paper",
    ):
        assert words in page, words
    assert "invited" not in ann.get("/log?kind=decisions")
    assert "rejected" not in ann.get("/log?kind=people")
    lines = ann.client.get("/console/log.csv").text.splitlines()
    assert lines[0] == "at,who,site,what,comment,note"
    assert len(lines) == 6  # with the creation of the key
    assert any(line.endswith(",'=1+1") for line in lines)
    assert all(re.fullmatch(r"[0-9T:.-]+Z", line.partition(",")[0]) for line in lines[1:])
    assert "ann@example.org" not in page
    assert moderator.record(held)["status"] == "rejected"


def test_erasing_a_comment_takes_what_moderators_wrote_about_it(
    ann: SignedIn, held: str, moderator: Caller
) -> None:
    posted(ann.client, body="Another")
    ann.form(f"/comments/{held}/notes", about="comment", text="quotes the unforgettable")
    ann.form(f"/comments/{held}/questions", whom="owner", text="unforgettable, is it?")
    ann.form(f"/comments/{held}/block", kind="author", stance="block", days="7")
    assert moderator.call("DELETE", f"/comments/{held}").status_code == 204
    kept = ann.get(f"/items/{held}") + ann.get("/blocks") + ann.get("/log")
    assert "unforgettable" not in kept
    assert "an erased author" in kept
    assert "Ann" not in kept


class Mailbox(threading.Thread):
    """A mail server that takes one message, on a port of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.message = ""

    def run(self) -> None:
        connection, _ = self.listening.accept()
        with connection, self.listening, connection.makefile("rwb", buffering=0) as talk:
            talk.write(b"220 here\r\n")
            while line := talk.readline():
                if line.upper().startswith(b"DATA"):
                    talk.write(b"354 go on\r\n")
                    while (part := talk.readline()) != b".\r\n":
                        self.message += part.decode()
                talk.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 fine\r\n")


def test_an_invitation_is_mailed_where_mail_can_be_sent(
    ann: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = Mailbox()
    mailbox.start()
    monkeypatch.setenv("GREENROOM_SMTP_URL", f"smtp://127.0.0.1:{mailbox.port}")
    settings.cache_clear()
    assert (
        "was mailed to"
        in ann.form("/sites/demo/people", email="zoe@paper.example", role="viewer").text
    )
    mailbox.join(PATIENCE)
    assert "To: zoe@paper.example" in mailbox.message
    assert "/console/join/" in mailbox.message
