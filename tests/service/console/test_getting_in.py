"""The console: who may sign in, and what they may decide there."""

from __future__ import annotations

import re

import pytest

from service.console import signing_in
from service.people import accounts
from service.sites import registering
from tests.caller import Answer, Caller, Client, posted, screen_all

OWNER, PASSWORD = "owner@paper.example", "correct horse battery"
LINKS = "https://a.example https://b.example https://c.example"


@pytest.fixture
def owner(client: Client) -> Client:
    """Signed in as the owner of `demo`."""
    signing_in.guesses._tries.clear()
    accounts.add_moderator(OWNER, "demo", "owner", PASSWORD)
    assert sign_in(client, OWNER, PASSWORD).status_code == 303
    return client


def sign_in(client: Client, email: str, password: str) -> Answer:
    return client.post("/console/sign-in", data={"email": email, "password": password})


def csrf(client: Client) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', client.get("/console/").text)
    assert found
    return found[1]


def test_nobody_sees_the_list_without_signing_in(client: Client) -> None:
    answer = client.get("/console/")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/console/sign-in")


def test_a_wrong_password_and_an_unknown_email_get_the_same_message(owner: Client) -> None:
    wrong, unknown = sign_in(owner, OWNER, "wrong"), sign_in(owner, "nobody@paper.example", "wrong")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text.replace(OWNER, "") == unknown.text.replace("nobody@paper.example", "")


def test_guessing_is_slowed_for_the_one_who_guesses(owner: Client) -> None:
    statuses = [sign_in(owner, OWNER, f"guess {number}").status_code for number in range(6)]
    assert 429 in statuses
    assert sign_in(owner, "other@paper.example", "guess").status_code == 403  # others need not wait


def test_the_list_shows_reasons_and_no_strangers_script_runs(owner: Client) -> None:
    posted(owner, name="<script>alert(1)</script>", body=f"<img src=x onerror=alert(1)> {LINKS}")
    screen_all()
    answer = owner.get("/console/")
    assert "3 links; the limit is 2" in answer.text
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_decision_needs_the_pages_own_form(owner: Client, moderator: Caller) -> None:
    comment = posted(owner, body=LINKS)
    screen_all()
    address = f"/console/comments/{comment}/decisions"
    assert owner.post(address, data={"verdict": "approve"}).status_code == 403
    assert moderator.record(comment)["status"] == "flagged"
    token = csrf(owner)
    assert (
        owner.post(address, data={"verdict": "approve", "csrf": token, "version": "2"}).status_code
        == 303
    )
    assert moderator.record(comment)["status"] == "approved"
    assert (
        owner.post(address, data={"verdict": "reject", "csrf": token, "version": "2"}).status_code
        == 409
    )
    assert (
        owner.post(
            address, data={"verdict": "reject", "csrf": token, "version": "9" * 5000}
        ).status_code
        == 422
    )
    assert owner.post(address, data={"verdict": "undo", "csrf": token}).status_code == 303
    assert moderator.record(comment)["status"] == "flagged"


def test_a_viewer_looks_but_does_not_decide(owner: Client, moderator: Caller) -> None:
    accounts.add_moderator("viewer@paper.example", "demo", "viewer", PASSWORD)
    comment = posted(owner, body=LINKS)
    screen_all()
    sign_in(owner, "viewer@paper.example", PASSWORD)
    page = owner.get("/console/").text
    assert 'value="approve"' not in page
    answer = owner.post(
        f"/console/comments/{comment}/decisions",
        data={"verdict": "approve", "csrf": csrf(owner), "version": "2"},
    )
    assert answer.status_code == 403
    assert moderator.record(comment)["status"] == "flagged"


def test_another_sites_comments_are_not_there(owner: Client) -> None:
    registering.add_site("other", ["https://other.example"])
    accounts.add_moderator("elsewhere@paper.example", "other", "owner", PASSWORD)
    comment = posted(owner, body=LINKS)
    screen_all()
    sign_in(owner, "elsewhere@paper.example", PASSWORD)
    assert comment not in owner.get("/console/").text
    answer = owner.post(
        f"/console/comments/{comment}/decisions",
        data={"verdict": "approve", "csrf": csrf(owner), "version": "1"},
    )
    assert answer.status_code == 404


def test_signing_out_ends_the_session_on_the_server(owner: Client) -> None:
    cookie = owner.get_cookie("greenroom_console", path="/console")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Strict"
    owner.post("/console/sign-out", data={"csrf": csrf(owner)})
    owner.set_cookie("greenroom_console", cookie.value, path="/console")
    assert owner.get("/console/").status_code == 303


def test_a_one_time_password_must_be_changed_before_anything_else(
    owner: Client, moderator: Caller
) -> None:
    once = accounts.add_moderator("new@paper.example", "demo", "moderator")
    assert sign_in(owner, "new@paper.example", once).status_code == 303
    assert owner.get("/console/").headers["Location"].endswith("/console/password")
    comment = posted(owner, body=LINKS)
    shown = owner.get("/console/password").text
    assert (
        'autocomplete="username" value="new@paper.example"' in shown
    )  # a password manager keeps it under that
    found = re.search(r'name="csrf" value="(\w+)"', shown)
    assert found
    decision = owner.post(
        f"/console/comments/{comment}/decisions", data={"verdict": "approve", "csrf": found[1]}
    )
    assert decision.status_code == 403
    form = {"csrf": found[1], "current_password": once}
    for password, status in (("short", 422), ("my own long one", 303)):
        answer = owner.post("/console/password", data={**form, "password": password})
        assert answer.status_code == status
    assert owner.get("/console/").status_code == 200
    assert accounts.check_password("new@paper.example", once) is None


def test_a_decision_is_confirmed_with_an_undo_button(owner: Client) -> None:
    comment = posted(owner, body=LINKS)
    screen_all()
    form = {"verdict": "approve", "csrf": csrf(owner), "version": "2"}
    decided = owner.post(f"/console/comments/{comment}/decisions", data=form)
    page = owner.get(decided.headers["Location"]).text
    assert "<b>Approved</b> <bdi>Ann</bdi>" in page
    assert 'value="undo"' in page


def test_many_accounts_are_not_guessed_at_once_from_one_address(owner: Client) -> None:
    statuses = [
        sign_in(owner, f"reader{number}@paper.example", "guess").status_code for number in range(24)
    ]
    assert statuses.count(429) > 0
