"""Open invitations on the people page."""

from __future__ import annotations

import re

import pytest

from service.people import accounts
from tests.caller import Client, client_of
from tests.service.signed_in import SignedIn

ZOE = "zoe@paper.example"


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def link(page: str) -> str:
    (path,) = re.findall(r"<code>[^<]*(/console/join/[\w-]+)</code>", page)
    return path


def address(page: str, what: str) -> str:
    (path,) = re.findall(rf"/console(/sites/demo/invitations/[0-9a-f]{{32}}/{what})", page)
    return path


def status_of(ann: SignedIn, path: str) -> int:
    return client_of(ann.client.application).get(path).status_code


def test_an_invitation_is_listed_sent_again_and_withdrawn(ann: SignedIn) -> None:
    first = link(ann.confirmed("/sites/demo/people", email=ZOE, role="moderator").text)
    page = ann.get("/people")
    assert f"<td>{ZOE}</td><td>moderator</td>" in page
    assert f">{ann.email}</td>" in page.partition("Open invitations")[2]
    second = link(ann.confirmed(address(page, "resend")).text)
    assert (status_of(ann, first), status_of(ann, second)) == (404, 200)
    page = ann.get("/people")
    assert ann.form(address(page, "withdraw")).status_code == 303
    assert status_of(ann, second) == 404
    assert ZOE not in ann.get("/people")
    for path in (address(page, "withdraw"), address(page, "resend")):
        assert ann.confirmed(path).status_code == 404
    log = ann.get("/log")
    assert f"sent the invitation for {ZOE} as moderator again" in log
    assert f"withdrew the invitation for {ZOE} as moderator" in log


def test_a_session_alone_sees_no_new_link(ann: SignedIn) -> None:
    first = link(ann.confirmed("/sites/demo/people", email=ZOE, role="owner").text)
    refused = ann.form(address(ann.get("/people"), "resend"))
    assert refused.status_code == 403
    assert f"send {ZOE} the invitation to be an owner of demo again" in refused.text
    assert "/console/join/" not in refused.text
    assert status_of(ann, first) == 200


@pytest.mark.parametrize("role", ["viewer", "moderator"])
def test_only_owners_see_invitations(client: Client, ann: SignedIn, role: str) -> None:
    ann.confirmed("/sites/demo/people", email=ZOE, role="owner")
    ben = SignedIn(client, "ben@paper.example", role=role)
    assert ZOE not in ben.get("/people")
    assert ben.form(address(ann.get("/people"), "withdraw")).status_code == 403


def test_owners_require_a_second_factor_and_see_who_has_none(client: Client, ann: SignedIn) -> None:
    rule = "/sites/demo/sign-in"
    accounts.add_moderator("ben@paper.example", "demo", "viewer")
    assert "2 people have none." in ann.get("/people")
    refused = ann.confirmed(rule, second_factor="required")
    assert refused.status_code == 409
    assert "Turn on your own second factor first" in refused.text
    ann.enrol()
    assert "1 person has none." in ann.get("/people")
    assert ann.form(rule, second_factor="required").status_code == 403  # without the password
    assert ann.confirmed(rule, second_factor="required").status_code == 303
    page = ann.get("/people")
    assert "Everyone on demo needs a second factor." in page
    assert page.count(">none<") == 1
    assert ann.confirmed(rule, second_factor="optional").status_code == 303
    log = ann.get("/log")
    assert "stopped requiring a second factor" in log
    assert "required a second factor from everyone" in log
    assert ann.confirmed(rule, second_factor="perhaps").status_code == 422


def test_someone_without_a_second_factor_turns_it_on_and_continues(
    client: Client, ann: SignedIn
) -> None:
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    ann.enrol()
    ann.confirmed("/sites/demo/sign-in", second_factor="required")
    assert ben.client.get("/console/").status_code == 303
    assert "Turn one on here to continue." in ben.get("/account")
    ben.enrol()
    assert ben.client.get("/console/").status_code == 200
