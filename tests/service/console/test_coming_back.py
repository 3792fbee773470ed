"""Signing in leads to the page that was requested, and a written text is kept."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pyotp
import pytest
import time_machine
from sqlalchemy import delete, select

from models.records import ConsoleSession, Note, Question
from models.store.database import begin, now, reading
from service.console import account, signing_in
from service.console.coming_back import HOME, KEPT_FOR, MOST_ADDRESS, checked
from service.people import accounts, second_factor
from tests.caller import Answer, Client, client_of, posted, screen_all
from tests.service.signed_in import LINKS, PASSWORD, SignedIn

TEXT = "She runs the ferry company — “really”."


@pytest.fixture
def ann(client: Client) -> SignedIn:
    account.codes._tries.clear()
    return SignedIn(client)


@pytest.fixture
def held(ann: SignedIn) -> str:
    comment = posted(ann.client, body=LINKS)
    screen_all()
    return comment


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's only form."""
    found = re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def writer_of(page: str) -> str:
    return re.findall(r'name="writer" value="(\w+)"', page)[0]


def sign_in(client: Client, page: str, email: str, password: str = PASSWORD) -> Answer:
    """Send the form of the sign-in page."""
    signing_in.guesses._tries.clear()
    return client.post(
        "/console/sign-in", data={**hidden(page), "email": email, "password": password}
    )


@pytest.mark.parametrize(
    "address",
    [
        "/console/c/01a22346-a557-7010-9aeb-862cd78a7584",
        "/console/?tab=all&q=ferry+%C3%A4&order=oldest&language=de",
        "/console/log?kind=settings&since=2026-01-01",
        "/console/settings?site=demo",
    ],
)
def test_signing_in_leads_to_the_address_that_was_asked_for(client: Client, address: str) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    first = client.get(address)
    assert first.status_code == 303
    assert parse_qs(urlsplit(first.location).query) == {"next": [address]}
    page = client.get(first.location).text
    wrong = sign_in(client, page, "ann@paper.example", "wrong")
    assert wrong.status_code == 403
    answer = sign_in(client, wrong.text, "ann@paper.example")
    assert (answer.status_code, answer.location) == (303, address)


def test_the_address_survives_the_second_factor_and_the_first_password(client: Client) -> None:
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    once = accounts.add_moderator("new@paper.example", "demo", "owner")
    asked_for = "/console/log?kind=blocks"
    page = client.get(client.get(asked_for).location).text
    answer = sign_in(client, page, "new@paper.example", once)
    assert answer.location == asked_for
    password = client.get(asked_for)
    assert password.location == f"/console/password?{urlencode({'next': asked_for})}"
    assert hidden(client.get(password.location).text)["next"] == asked_for


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/console/",
        "//evil.example/console/",
        "/console//evil.example",
        "/console/../evil",
        "/console/\\evil.example",
        "/console/\t/evil.example",
        "/console/x\nLocation: https://evil.example",
        "\\console/",
        "javascript:alert(1)",
        "/v1/sites/demo/comments",
        "console/",
        f"/console/?q={'x' * MOST_ADDRESS}",
        "",
    ],
)
def test_no_other_address_is_gone_to(client: Client, address: str) -> None:
    assert checked(address) == HOME
    accounts.add_moderator("ann@paper.example", "demo", "owner", PASSWORD)
    signing_in.guesses._tries.clear()
    data = {"email": "ann@paper.example", "password": PASSWORD, "next": address}
    assert client.post("/console/sign-in", data=data).location == HOME


def test_an_address_may_contain_search_words() -> None:
    for query in ("q=https://paper.example//x", "q=well..%20yes", "q=a%40b.example"):
        assert checked(f"/console/?{query}") == f"/console/?{query}"


def test_a_link_on_another_site_loads_again_from_ours_to_get_the_cookie(
    ann: SignedIn, held: str
) -> None:
    """The browser keeps back the cookie when it follows a link in a mail."""
    guest = client_of(ann.client.application)
    page = guest.get(f"/console/c/{held}", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert f'content="0;url=/console/c/{held}"' in page.text
    again = ann.client.get(f"/console/c/{held}", headers={"Sec-Fetch-Site": "same-origin"})
    assert again.location == f"/console/?tab=all&q={held}"


def end_sessions() -> None:
    with begin() as session:
        session.execute(delete(ConsoleSession))


def notes() -> list[tuple[str, str]]:
    """Each note with its writer."""
    with reading() as session:
        return [(note.text, note.by) for note in session.scalars(select(Note))]


def note_too_late(ann: SignedIn, held: str, query: str = "?tab=all&q=a") -> Answer:
    """Write a note on a page whose session has ended in the meantime."""
    page = ann.get(f"/items/{held}{query}")
    back = html.unescape(re.findall(r'name="back" value="([^"]+)"', page)[0])
    end_sessions()
    fields = {"text": TEXT, "about": "author", "back": back, "writer": writer_of(page)}
    return ann.client.post(f"/console/comments/{held}/notes", data={**fields, "csrf": ann.csrf})


def test_a_note_written_after_the_session_ended_is_sent_after_signing_in(
    ann: SignedIn, held: str
) -> None:
    asks = note_too_late(ann, held)
    assert asks.status_code == 401
    assert "Sign in to save your change" in asks.text
    assert TEXT not in html.unescape(asks.text)  # others may see this page
    again = sign_in(ann.client, asks.text, ann.email, "wrong")
    shown = sign_in(ann.client, again.text, ann.email)
    assert shown.status_code == 200
    assert TEXT in html.unescape(shown.text)
    assert notes() == []  # nothing is saved before its writer says so
    address = re.findall(r'<form method="post" action="([^"]+)"', shown.text)[0]
    saved = ann.client.post(address, data={**hidden(shown.text), "text": TEXT})
    assert (saved.status_code, saved.location) == (303, f"/console/?q=a&item={held}")
    assert [text for text, _ in notes()] == [TEXT]


def test_another_person_who_signs_in_never_gets_it(ann: SignedIn, held: str) -> None:
    accounts.add_moderator("ben@paper.example", "demo", "owner", PASSWORD)
    asks = note_too_late(ann, held)
    answer = sign_in(ann.client, asks.text, "ben@paper.example")
    assert answer.status_code == 303
    assert answer.location == "/console/?q=a"
    assert notes() == []


def test_the_written_text_survives_the_second_factor(ann: SignedIn, held: str) -> None:
    secret = second_factor.new_secret()
    asks = note_too_late(ann, held)
    with time_machine.travel(now(), tick=False) as clock:
        enrol(ann, secret)
        clock.shift(60)
        code_page = sign_in(ann.client, asks.text, ann.email)
        code = pyotp.TOTP(secret).now()
        shown = ann.client.post(
            "/console/sign-in/code", data={**hidden(code_page.text), "code": code}
        )
    assert TEXT in html.unescape(shown.text)


def enrol(ann: SignedIn, secret: str) -> None:
    moderator = accounts.check_password(ann.email, PASSWORD)
    assert moderator
    assert second_factor.begin(moderator.id, secret, pyotp.TOTP(secret).now())


def test_an_expired_or_forged_text_is_dropped(ann: SignedIn, held: str) -> None:
    asks = note_too_late(ann, held)
    with time_machine.travel(now() + KEPT_FOR + timedelta(minutes=1)):
        assert sign_in(ann.client, asks.text, ann.email).status_code == 303
    for unsent in ("", "x", "AAAA" * 20, hidden(asks.text)["unsent"][:-8]):
        page = f'<input type="hidden" name="unsent" value="{unsent}">'
        assert sign_in(ann.client, page, ann.email).status_code == 303


def test_a_page_from_an_earlier_session_of_the_same_person_can_be_sent_again(
    ann: SignedIn, held: str
) -> None:
    old = writer_of(ann.get(f"/items/{held}"))
    end_sessions()
    sign_in(ann.client, "", ann.email)
    address, fields = f"/console/comments/{held}/questions", {"text": TEXT, "whom": "owner"}
    late = ann.client.post(address, data={**fields, "writer": old, "csrf": ann.csrf})
    assert late.status_code == 403
    assert TEXT in html.unescape(late.text)
    assert ann.client.post(address, data={**hidden(late.text), "text": TEXT}).status_code == 303
    with reading() as session:
        assert session.scalars(select(Question.text)).all() == [TEXT]


def test_a_page_of_somebody_else_cannot(ann: SignedIn, held: str) -> None:
    ben = SignedIn(ann.client, "ben@paper.example")
    page = ben.get(f"/items/{held}")
    fields = {"text": TEXT, "whom": "owner", "writer": writer_of(page), "csrf": ben.csrf}
    late = ann.client.post(f"/console/comments/{held}/questions", data=fields)
    assert late.status_code == 403
    assert TEXT not in html.unescape(late.text)
    assert "out of date" in late.text
