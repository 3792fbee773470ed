"""One's own account: the second factor."""

from __future__ import annotations

import re
import time

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from models.records import Moderator
from models.settings import settings
from models.store.database import reading
from service.console import account, signing_in
from service.people import accounts, console_sessions, tickets
from tests.caller import Client, client_of
from tests.fakes.mail_server import MailServer
from tests.greenroom import until
from tests.service.signed_in import PASSWORD, SignedIn


@pytest.fixture
def ann(client: Client) -> SignedIn:
    account.codes._tries.clear()
    return SignedIn(client)


def first_step(client: Client, email: str = "ann@paper.example") -> str:
    """Return what the form for the code carries after the password was given."""
    signing_in.guesses._tries.clear()
    page = client.post("/console/sign-in", data={"email": email, "password": PASSWORD})
    assert client.get_cookie("greenroom_console", path="/console") is None
    return re.findall(r'name="pass" value="([^"]+)"', page.text)[0]


def second_step(client: Client, passed: str, code: str) -> int:
    account.codes._tries.clear()
    return client.post("/console/sign-in/code", data={"pass": passed, "code": code}).status_code


def test_with_a_second_factor_the_password_alone_opens_no_session(ann: SignedIn) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        secret, _ = ann.enrol()
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


def test_a_recovery_code_signs_in_once(ann: SignedIn) -> None:
    _, codes = ann.enrol()
    assert len(set(codes)) == 10
    other = client_of(ann.client.application)
    assert second_step(other, first_step(other), codes[0]) == 303
    again = client_of(ann.client.application)
    assert second_step(again, first_step(again), codes[0]) == 403
    assert "9 recovery codes left" in ann.get("/account")


def test_guessing_codes_is_slowed(ann: SignedIn) -> None:
    ann.enrol()
    other = client_of(ann.client.application)
    passed = first_step(other)
    tries = [
        other.post("/console/sign-in/code", data={"pass": passed, "code": f"{n:06}"})
        for n in range(6)
    ]
    assert 429 in [answer.status_code for answer in tries]


def test_the_second_factor_ends_with_the_password(ann: SignedIn) -> None:
    ann.enrol()
    assert ann.form("/account/second-factor/end", current_password="wrong").status_code == 403
    assert ann.confirmed("/account/second-factor/end").status_code == 303
    assert "Turn it on" in ann.get("/account")


FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0"


def signed_in_with(ann: SignedIn, user_agent: str) -> Client:
    """Return the same person in another browser."""
    other = client_of(ann.client.application)
    form = {"email": ann.email, "password": PASSWORD}
    answer = other.post("/console/sign-in", data=form, headers={"User-Agent": user_agent})
    assert answer.status_code == 303
    return other


def ends(page: str) -> list[str]:
    return re.findall(r"/console(/account/sessions/[0-9a-f]{32}/end)", page)


def test_sessions_are_listed_with_device_and_last_use_and_ended_one_by_one(ann: SignedIn) -> None:
    other, third = signed_in_with(ann, FIREFOX), signed_in_with(ann, "curl/8.5.0 <script>")
    page = ann.get("/account")
    assert "now, on this device" in page
    assert "Firefox on Windows" in page
    assert "An unknown browser" in page
    assert "curl" not in page
    assert "End the session in an unknown browser" in page
    firefox = page.index("Firefox on Windows")
    assert ann.form(ends(page[firefox:])[0]).status_code == 303
    assert other.get("/console/account").status_code == 303
    assert third.get("/console/account").status_code == 200
    assert ann.form(ends(page[firefox:])[0]).status_code == 404  # it has ended
    assert "ended their session in Firefox on Windows" in ann.get("/log")


def test_nobody_ends_the_session_of_someone_else(client: Client, ann: SignedIn) -> None:
    ben = SignedIn(client, "ben@paper.example")
    other = signed_in_with(ann, FIREFOX)
    assert ben.form(ends(ann.get("/account"))[0]).status_code == 404
    assert other.get("/console/account").status_code == 200


def test_all_other_sessions_end_at_once(ann: SignedIn) -> None:
    other = signed_in_with(ann, FIREFOX)
    assert ann.form("/account/sessions/end").status_code == 303
    assert other.get("/console/account").status_code == 303
    assert "Sign out everywhere else" not in ann.get("/account")


def test_the_last_use_of_a_session_is_noted_every_five_minutes(ann: SignedIn) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        other = signed_in_with(ann, FIREFOX)
        noted = []
        for minutes in (1, 3, 6):
            clock.shift(60 * minutes)
            other.get("/console/account").close()
            (found,) = console_sessions.listed(moderator_id(ann), "")[:1]
            noted.append(round(found.used_at.timestamp() - time.time()))
    assert noted == [0, -180, 0]


def test_a_password_that_changes_between_the_two_steps_voids_the_first(ann: SignedIn) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        secret, _ = ann.enrol()
        clock.shift(60)
        other = client_of(ann.client.application)
        passed = first_step(other)
        accounts.change_password(moderator_id(ann), "another horse battery staple")
        assert second_step(other, passed, pyotp.TOTP(secret).now()) == 403
        assert other.get("/console/account").status_code == 303


NEW = "another horse battery staple"


def test_every_change_of_password_or_second_factor_is_mailed_to_its_account(
    ann: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as server:
        monkeypatch.setenv("GREENROOM_SMTP_URL", server.url)
        settings.cache_clear()
        ann.enrol()
        until(lambda: len(server.received) == 1)
        ann.confirmed("/account/recovery-codes")
        until(lambda: len(server.received) == 2)
        ann.confirmed("/account/second-factor/end")
        until(lambda: len(server.received) == 3)
        ann.confirmed("/password", password=NEW)
        until(lambda: len(server.received) == 4)
        link = "/console" + tickets.reset(ann.email, by="test").partition("/console")[2]
        ann.client.post(link, data={"password": PASSWORD})
        until(lambda: len(server.received) == 5)
    assert {mail.to for mail in server.received} == {ann.email}
    assert [mail.message["Subject"] for mail in server.received] == [
        "The second factor of your Greenroom account was turned on",
        "Your Greenroom account has new recovery codes",
        "The second factor of your Greenroom account was turned off",
        "The password of your Greenroom account has changed",
        "The password of your Greenroom account has changed",
    ]
    assert all("/console/forgotten" in mail.plain for mail in server.received)


def moderator_id(ann: SignedIn) -> str:
    with reading() as session:
        return session.scalars(select(Moderator.id).where(Moderator.email == ann.email)).one()
