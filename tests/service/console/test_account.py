"""One's own account: the second factor."""

from __future__ import annotations

import re
import time

import pyotp
import pytest
import time_machine

from service.console import account, signing_in
from tests.caller import Client, client_of
from tests.service.signed_in import PASSWORD, SignedIn


@pytest.fixture
def ann(client: Client) -> SignedIn:
    account.codes._tries.clear()
    return SignedIn(client)


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
