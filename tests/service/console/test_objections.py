"""Reports and notices in the console: the filter, the open comment, and dismissing a notice."""

from __future__ import annotations

import pytest

from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import SignedIn


@pytest.fixture
def person(client: Client) -> SignedIn:
    return SignedIn(client)


@pytest.fixture
def reported(client: Client) -> str:
    comment = posted(client)
    screen_all()
    for number in range(3):
        client.post(
            f"/v1/sites/demo/comments/{comment}/reports",
            json={"reason": "threat", "text": f"Look <b>{number}</b>"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{number}"},
        )
    return comment


@pytest.fixture
def noticed(client: Client) -> str:
    comment = posted(client, body="Another day.", name="Ben", email="ben@example.org")
    screen_all()
    notice = {
        "comment": comment,
        "explanation": "It names my address.",
        "category": "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
        "name": "Eve Example",
        "email": "eve@example.org",
        "good_faith": True,
    }
    assert client.post("/v1/sites/demo/notices", json=notice).status_code == 202
    return comment


def test_the_reports_stand_at_the_comment_with_their_weights_and_the_wave(
    person: SignedIn, reported: str
) -> None:
    page = person.get(f"/?item={reported}")
    assert "3 open</b>, weight 3: threat (3)." in page
    assert "3 of 3 reports within a minute came from addresses new to this site" in page
    assert "Look &lt;b&gt;2&lt;/b&gt;" in page
    assert "reported by 3 readers: threat (3)" in page
    assert "192.0.2." not in page


def test_the_filter_shows_only_what_readers_wait_for(
    person: SignedIn, reported: str, noticed: str
) -> None:
    assert 'data-do="readers"' in person.get("/")
    assert sorted(person.listed("?reason=readers")) == sorted([reported, noticed])
    assert person.listed("?reason=reported") == [reported]
    assert person.listed("?reason=notice") == [noticed]


def test_a_decision_settles_them_and_the_filter_goes(person: SignedIn, reported: str) -> None:
    person.decide(reported, version=3)
    assert person.listed("?reason=readers") == []
    assert "0 upheld, 3 dismissed" in person.get(f"/?tab=all&item={reported}")


def test_a_notice_is_dismissed_with_an_answer(person: SignedIn, noticed: str) -> None:
    page = person.get(f"/?item={noticed}")
    assert "Eve Example" in page
    assert "Privacy or personal data" in page
    action = page.partition('action="/console/notices/')[2].partition('"')[0]
    answer = person.form(f"/notices/{action}", answer="It is on the public register.")
    assert answer.status_code == 303
    assert person.form(f"/notices/{action}", answer="").status_code == 409
    page = person.get(f"/?tab=all&item={noticed}")
    assert "It is on the public register." in page
    assert "dismissed a notice of illegal content" in person.get("/log?kind=notices")


def test_the_owner_sets_how_many_reports_hold_a_comment(
    person: SignedIn, client: Client, moderator: Caller
) -> None:
    form = {"do": "save", "version": "1", "reports_to_hold": "1,5"}
    assert person.form("/settings/demo", **form).status_code == 303
    assert 'name="reports_to_hold" value="1.5"' in person.get("/settings?site=demo")
    policy = moderator.call("GET", "/policy").json
    assert policy
    assert policy["reports_to_hold"] == 1.5
    wrong = person.form("/settings/demo", **{**form, "version": "2", "reports_to_hold": ""})
    assert wrong.status_code == 422
