"""Notices of illegal content through the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from models.records import Mail, Notice, Review
from models.settings import settings
from models.store.database import begin, now, reading
from models.store.secrets import email_index
from service.operations import doctor
from tests.caller import Answer, Caller, Client, posted, screen_all
from worker.sweep import tidy

COMPLETE = {
    "explanation": "It calls for violence against a named person.",
    "category": "ILLEGAL_OR_HARMFUL_SPEECH",
    "name": "Eve Example",
    "email": "eve@example.org",
    "good_faith": True,
}


@pytest.fixture
def published(client: Client) -> str:
    comment = posted(client)
    screen_all()
    return comment


def send(client: Client, about: str, **fields: Any) -> Answer:
    body = {"comment": about, **COMPLETE, **fields}
    kept = {name: value for name, value in body.items() if value != "MISSING"}
    return client.post("/v1/sites/demo/notices", json=kept)


def wrong_fields(answer: Answer) -> list[str]:
    assert answer.status_code == 422
    assert answer.json
    return [error["field"] for error in answer.json["errors"]]


def outcome(client: Client, answer: Answer) -> Any:
    assert answer.json
    return client.get(answer.json["receipt"]).json


def test_a_notice_is_answered_by_the_decision_on_the_comment(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = send(client, published)
    assert answer.status_code == 202
    told = outcome(client, answer)
    assert (told["status"], told["outcome"], told["redress"]) == ("open", None, None)
    assert told["due"] > told["at"]
    moderator.decide(published, "reject", reason="abuse")
    told = outcome(client, answer)
    assert (told["status"], told["outcome"], told["automated"]) == ("closed", "removed", True)
    assert "court" in told["redress"]
    moderator.undo(published)
    assert outcome(client, answer)["status"] == "open"


def test_what_article_16_misses_is_named(client: Client, published: str) -> None:
    for field in (*COMPLETE, "comment"):
        for blank in ("MISSING", None, False if field == "good_faith" else " "):
            answer = send(client, published, **{field: blank})
            assert wrong_fields(answer) == [field]


def test_all_that_is_missing_is_named_at_once(client: Client) -> None:
    answer = client.post("/v1/sites/demo/notices", json={})
    assert answer.json
    assert {error["field"] for error in answer.json["errors"]} == {*COMPLETE, "comment"}
    assert any("Article 16" in error["message"] for error in answer.json["errors"])


def test_a_notice_of_child_sexual_abuse_needs_no_name(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = send(
        client, published, category="PROTECTION_OF_MINORS", name="MISSING", email="MISSING"
    )
    assert answer.status_code == 202
    listed = moderator.call("GET", "/notices").json
    assert listed
    assert (listed["notices"][0]["name"], listed["notices"][0]["email"]) == (None, None)


def test_what_is_wrong_with_a_notice_is_named(client: Client, published: str) -> None:
    for field, value in (
        ("category", "STATEMENT_CATEGORY_VIOLENCE"),
        ("email", "no address"),
        ("explanation", "x" * 5001),
        ("explanation", "x" * 100_000),
        ("name", "x" * 201),
        ("name", "a\0"),
        ("comment", "not a link"),
        ("comment", "x" * 100_000),
        ("good_faith", "yes"),
    ):
        assert wrong_fields(send(client, published, **{field: value})) == [field]


def test_a_link_to_the_comment_names_it_too(client: Client, published: str) -> None:
    link = f"https://paper.example/harbour#greenroom-{published}.1"
    assert send(client, link).status_code == 202


def test_only_published_comments_of_the_site_get_notices(client: Client) -> None:
    assert send(client, posted(client)).status_code == 404
    assert send(client, "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7").status_code == 404


def test_a_moderator_sees_and_dismisses_a_notice(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = send(client, published)
    record = moderator.record(published)
    assert [review["cause"] for review in record["reviews"]] == ["notice"]
    (notice,) = record["notices"]
    assert (notice["name"], notice["email"]) == ("Eve Example", "eve@example.org")
    path = f"/notices/{notice['id']}/dismiss"
    assert moderator.call("POST", path, json={"answer": "It is lawful."}).status_code == 200
    assert moderator.call("POST", path, json={}).status_code == 409
    told = outcome(client, answer)
    assert (told["outcome"], told["answer"]) == ("dismissed", "It is lawful.")
    assert moderator.record(published)["status"] == "approved"
    assert moderator.call("GET", "/notices").json == {"notices": [], "next": None}


def test_the_contact_is_encrypted_and_no_event_names_it(
    client: Client, moderator: Caller, published: str
) -> None:
    send(client, published)
    with reading() as session:
        row = session.scalars(select(Notice)).one()
    assert row.contact
    assert b"eve" not in row.contact.lower()
    events = moderator.events()
    assert [event["type"] for event in events] == ["comment.approved", "notice.opened"]
    assert "eve" not in str(events).lower()
    assert events[-1]["data"]["sequence"] is None


def test_one_address_cannot_flood_with_notices(
    client: Client, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_RATE_LIMITS", "on")
    settings.cache_clear()
    assert [send(client, published).status_code for _ in range(7)] == [202] * 5 + [429] * 2


def test_nobody_can_flood_another_persons_mailbox_with_notices(
    client: Client, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_SMTP_URL", "smtp://127.0.0.1:9")
    settings.cache_clear()
    assert {send(client, published).status_code for _ in range(8)} == {202}
    assert send(client, published, email="bob@example.org").status_code == 202
    with reading() as session:
        mails = session.scalars(select(Mail).order_by(Mail.id)).all()
    addresses = [mail.address_index for mail in mails]
    assert addresses == [email_index("eve@example.org")] * 5 + [email_index("bob@example.org")]


def test_the_contact_is_deleted_six_months_after_the_decision(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = send(client, published)
    moderator.decide(published, "approve")
    for days, name in ((180, "Eve Example"), (190, None)):
        tidy(now() + timedelta(days=days))
        assert moderator.record(published)["notices"][0]["name"] == name
    assert outcome(client, answer)["outcome"] == "kept"


def test_the_moderators_answer_reaches_the_person(
    client: Client, moderator: Caller, published: str
) -> None:
    answer = send(client, published)
    moderator.decide(published, "approve", answer="It is an opinion.")
    assert outcome(client, answer)["answer"] == "It is an opinion."


def test_doctor_asks_a_moderator_to_look_again(client: Client, published: str) -> None:
    send(client, published)
    client.post(f"/v1/sites/demo/comments/{published}/reports", json={"reason": "spam"})
    with begin() as session:
        session.execute(delete(Review))
    found = set(doctor.examine().counts)
    assert {"report without review", "notice without review"} <= found
