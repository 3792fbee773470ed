"""Reports through the API: who may report what, how often, and what a receipt tells."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from models.identifiers import new_id
from models.records import Comment, Report
from models.settings import settings
from models.store.database import begin, reading
from models.store.signed_ids import signed
from tests.caller import Answer, Caller, Client, posted, screen_all
from tests.service.readers.tokens import new_secret, token

NOBODY = "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"


@pytest.fixture
def published(client: Client) -> str:
    comment = posted(client)
    screen_all()
    return comment


def report(client: Client, about: str, *, by: str = "192.0.2.1", **fields: Any) -> Answer:
    return client.post(
        f"/v1/sites/demo/comments/{about}/reports",
        json={"reason": "threat", **fields},
        environ_base={"REMOTE_ADDR": by},
    )


def outcome(client: Client, answer: Answer) -> Any:
    assert answer.json
    return client.get(answer.json["receipt"]).json


def test_a_reporter_learns_that_the_comment_was_removed(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = report(client, published, text="It names my address.")
    assert answer.status_code == 202
    told = outcome(client, answer)
    assert (told["comment"], told["status"], told["closed"]) == (published, "open", None)
    moderator.decide(published, "reject", reason="abuse")
    told = outcome(client, answer)
    assert told["status"] == "upheld"
    assert told["closed"]


def test_three_readers_hold_a_comment_and_the_queue_shows_why(
    client: Client, moderator: Caller, published: str
) -> None:
    for number in range(3):
        assert report(client, published, by=f"192.0.2.{number}", text="Look").status_code == 202
    queue = moderator.call("GET", "/queue?cause=reported").json
    assert queue
    (item,) = queue["items"]
    assert (item["id"], item["status"]) == (published, "flagged")
    assert item["reports"] == {
        "open": 3,
        "upheld": 0,
        "dismissed": 0,
        "weight": 3.0,
        "by_reason": {"threat": 3},
        "wave": "3 of 3 reports within a minute came from addresses new to this site",
    }
    assert {review["cause"] for review in item["reviews"]} == {"flagged", "reported"}
    assert moderator.call("GET", "/queue?cause=appealed").json == {"items": [], "next": None}


def test_the_site_chooses_how_many_reports_hold(
    client: Client, moderator: Caller, published: str
) -> None:
    assert moderator.call("PATCH", "/policy", json={"reports_to_hold": 1}).status_code == 200
    report(client, published)
    assert moderator.record(published)["status"] == "flagged"


def test_a_decision_in_bulk_settles_reports_too(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = report(client, published)
    ruling = {"verdict": "approve", "items": [{"id": published}]}
    moderator.call("POST", "/decisions", json=ruling)
    assert outcome(client, answer)["status"] == "dismissed"
    assert moderator.record(published)["reports"]["dismissed"] == 1


def test_comments_of_staff_are_never_held_by_reports(
    client: Client, moderator: Caller, published: str
) -> None:
    with begin() as session:
        session.execute(update(Comment).values(badges=["staff"]))
    for number in range(5):
        report(client, published, by=f"192.0.2.{number}")
    record = moderator.record(published)
    assert (record["status"], record["reports"]["open"]) == ("approved", 5)


def test_an_unknown_comment_cannot_be_reported(client: Client) -> None:
    for comment in (NOBODY, "x", "..", "0", "%00", NOBODY.upper()):
        assert report(client, comment).status_code == 404


def test_a_held_or_erased_comment_looks_like_one_that_never_was(
    client: Client, moderator: Caller, published: str
) -> None:
    never = report(client, NOBODY).json
    moderator.decide(published, "flag")
    assert report(client, published).json == never
    moderator.call("DELETE", f"/comments/{published}")
    assert report(client, published).json == never
    assert client.post(f"/v1/sites/other/comments/{published}/reports", json={}).status_code in {
        404,
        422,
    }


def test_what_is_wrong_with_a_report_is_named(client: Client, published: str) -> None:
    for field, value in (
        ("reason", "boring"),
        ("reason", None),
        ("text", "x" * 1001),
        ("text", "x" * 100_000),
        ("text", "a\0b"),
        ("text", "e" + "\u0301" * 40),
        ("text", 3),
    ):
        answer = report(client, published, **{field: value})
        assert answer.status_code == 422
        assert answer.json
        assert [error["field"] for error in answer.json["errors"]] == [field]


def test_one_address_cannot_flood(
    client: Client, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    statuses = [report(client, published, by="192.0.2.9").status_code for _ in range(12)]
    assert statuses == [202] * 10 + [429] * 2
    assert report(client, published, by="192.0.2.10").status_code == 202


def test_a_network_of_ipv6_addresses_counts_once(client: Client, published: str) -> None:
    receipts = {
        (report(client, published, by=f"2001:db8::{number}").json or {})["receipt"]
        for number in range(5)
    }
    assert len(receipts) == 1
    with reading() as session:
        assert len(session.scalars(select(Report)).all()) == 1


def test_a_receipt_cannot_be_guessed(client: Client) -> None:
    guesses = ("", ".", ".AAAAAAAAAAAAAAAAAAAAAA", ".é")
    for receipt in (*(f"{NOBODY}{guess}" for guess in guesses), "x", "", "a.b"):
        for folder in ("/v1/reports", "/v1/notices", "/sites/demo/reports", "/sites/demo/notices"):
            assert client.get(f"{folder}/{receipt}").status_code == 404


def test_a_receipt_of_one_kind_is_none_of_another(client: Client, published: str) -> None:
    answer = report(client, published)
    assert answer.json
    its = answer.json["receipt"].rpartition("/")[2]
    assert client.get(f"/v1/notices/{its}").status_code == 404
    assert client.get(f"/v1/receipts/{its}").status_code == 404
    assert client.get(f"/v1/reports/{signed('report', new_id())}").status_code == 404


def test_a_site_of_another_origin_cannot_send_reports(client: Client, published: str) -> None:
    path = f"/v1/sites/demo/comments/{published}/reports"
    asked = client.options(path, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in asked.headers
    sent = client.post(path, data='{"reason": "spam"}', content_type="text/plain")
    assert sent.status_code == 415


def test_no_answer_names_the_reporter(client: Client, moderator: Caller, published: str) -> None:
    report(client, published, by="192.0.2.77", text="secret words")
    events = moderator.events()
    assert events[-1]["type"] == "comment.reported"
    with reading() as session:
        row = session.scalars(select(Report)).one()
    for told in (str(events), str(moderator.record(published))):
        assert "192.0.2.77" not in told
        assert row.address not in told
        assert "secret words" not in told


def test_known_readers_count_by_identity_and_keep_their_accuracy(
    client: Client, moderator: Caller, published: str
) -> None:
    secret = new_secret()
    known = {
        name: {"Greenroom-Identity": token(secret, sub=name, name=name)} for name in ("Ann", "Ben")
    }
    path = f"/v1/sites/demo/comments/{published}/reports"
    for headers in known.values():
        assert client.post(path, json={"reason": "hate"}, headers=headers).status_code == 202
    assert moderator.record(published)["reports"]["open"] == 2
    moderator.decide(published, "approve")

    other = posted(client, body="Another one.", email="other@example.org")
    screen_all()
    path = f"/v1/sites/demo/comments/{other}/reports"
    client.post(path, json={"reason": "hate"}, headers=known["Ann"])
    assert moderator.record(other)["reports"]["weight"] == 0.6667

    wrong = {"Greenroom-Identity": token("sso_" + "x" * 40)}
    assert client.post(path, json={"reason": "hate"}, headers=wrong).status_code == 401
