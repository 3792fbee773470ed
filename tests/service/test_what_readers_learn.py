"""What a reader may learn from a receipt, a status, an error or a counter:
docs/security/what-readers-learn.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from models.identifiers import new_id
from models.judgement.policy import Policy
from service.comments.receipts import receipt_of
from service.console import signing_in
from service.people import accounts
from tests.caller import Caller, Client, client_of, post, posted, publish_all, screen_all
from tests.service.signed_in import PASSWORD, SignedIn

TABLE = Path(__file__).parents[2] / "docs" / "security" / "what-readers-learn.md"
BLOCKED = "blocked@paper.example"


def told(client: Client, comment: str) -> dict[str, Any]:
    """Return the receipt without the comment's own parts."""
    own = {"id", "at", "body", "editable_until"}
    answer: Any = client.get(f"/v1/receipts/{receipt_of(comment)}").json
    return {name: value for name, value in answer.items() if name not in own}


def set_policy(moderator: Caller, **parts: Any) -> None:
    assert (
        moderator.call(
            "PUT", "/policy", json=Policy.model_validate(parts).model_dump(mode="json")
        ).status_code
        == 200
    )


def test_a_receipt_reads_the_same_whatever_rule_rejected_the_comment(
    client: Client, moderator: Caller
) -> None:
    """The rule may be a word, a pattern, a host or the author's address."""
    set_policy(moderator, words={"blocked": ["casino"], "blocked_patterns": ["win [0-9]+"]})
    posted(client, body="The first comment of this installation makes its keys.")
    for kind, value in (("author", BLOCKED), ("host", "pills.example"), ("word", "lottery")):
        assert (
            moderator.call("POST", "/blocks", json={"kind": kind, "value": value}).status_code
            == 201
        ), kind
    comments = [
        posted(client, body="The casino is open."),
        posted(client, body="You win 500 today."),
        posted(client, body="See https://pills.example/ for more."),
        posted(client, body="A lottery for everyone."),
        posted(client, body="An ordinary comment about the ferry.", email=BLOCKED),
    ]
    screen_all()
    receipts = [told(client, comment) for comment in comments]
    assert receipts[0]["status"] == "rejected"
    assert receipts == [receipts[0]] * len(comments)


def test_a_receipt_reads_the_same_whatever_rule_holds_the_comment(
    client: Client, moderator: Caller
) -> None:
    set_policy(moderator, words={"held": ["bonus"], "blocked": ["viagra"]}, links={"max_links": 0})
    comments = [
        posted(client, body="A bonus for the ferry."),
        posted(client, body="The via gra of the harbour."),
        posted(client, body="Look at https://harbour.example/ please."),
    ]
    screen_all()
    receipts = [told(client, comment) for comment in comments]
    assert receipts[0]["status"] == "flagged"
    assert receipts == [receipts[0]] * len(comments)


def test_a_moderators_note_and_name_are_in_no_receipt(client: Client, moderator: Caller) -> None:
    comment = posted(client)
    moderator.decide(comment, "reject", reason="other", note="the secret note")
    receipt = told(client, comment)
    assert receipt["reason"] == "Your comment does not follow the rules of this site."
    assert receipt["statement"]["answer"] == ""
    assert "secret" not in str(receipt)
    assert "key:" not in str(receipt)


def test_no_receipt_is_like_one_that_never_was(client: Client) -> None:
    ours, never = posted(client), new_id()
    forged = receipt_of(ours)[:-3] + "AAA"
    answers = [
        client.get(f"/v1/receipts/{receipt}")
        for receipt in (forged, receipt_of(never), f"{never}.AAAA", "x")
    ]
    assert {(answer.status_code, answer.json["detail"]) for answer in answers} == {
        (404, "There is no such receipt.")
    }


@pytest.fixture
def unpublished(client: Client, moderator: Caller) -> list[str]:
    """Comments that no reader sees: pending, held, rejected, removed, erased; and one that never
    existed.
    """
    ids = [posted(client, body=f"Comment number {number} about the ferry.") for number in range(5)]
    moderator.decide(ids[1], "flag")
    moderator.decide(ids[2], "reject")
    for id_ in ids[3:]:
        moderator.decide(id_, "approve")
    publish_all()
    moderator.decide(ids[3], "reject")
    moderator.call("DELETE", f"/comments/{ids[4]}")
    publish_all()
    return [*ids, new_id()]


def test_an_unpublished_comment_looks_like_one_that_never_existed(
    client: Client, unpublished: list[str]
) -> None:
    links = [client.get(f"/sites/demo/c/{id_}") for id_ in unpublished]
    replies = [
        post(client, parent=id_, body=f"An answer to {n}.") for n, id_ in enumerate(unpublished)
    ]
    for answers in (links, replies):
        assert {answer.status_code for answer in answers} == {404}
        assert len({re.sub(r"[0-9a-f-]{36}", "", answer.text) for answer in answers}) == 1


def test_counters_and_pages_count_only_what_is_published(
    client: Client, unpublished: list[str]
) -> None:
    assert client.get("/v1/sites/demo/counts?thread=/harbour&thread=/never").json == {
        "/harbour": 0,
        "/never": 0,
    }
    page: Any = client.get("/v1/sites/demo/comments?thread=/harbour").json
    assert (page["count"], page["comments"]) == (0, [])
    assert client.get("/sites/demo/thread.atom?thread=/harbour").text.count("<entry>") == 0


def test_the_same_words_under_a_guessed_email_are_answered_like_any_others(
    client: Client,
) -> None:
    """From another IP address, a right and a wrong guess both get a new comment."""
    posted(client, email="victim@paper.example", body="What the victim wrote.")
    right, wrong = (
        client.post(
            "/v1/sites/demo/comments",
            json={
                "thread": "/harbour",
                "name": "Ann",
                "email": email,
                "body": "What the victim wrote.",
            },
            environ_base={"REMOTE_ADDR": "192.0.2.99"},
        )
        for email in ("victim@paper.example", "nobody@paper.example")
    )
    assert (right.status_code, wrong.status_code) == (202, 202)
    shapes = [{**answer.json, "id": "", "receipt": ""} for answer in (right, wrong)]
    assert shapes[0] == shapes[1]


def test_signing_in_does_as_much_for_an_unknown_account(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = SignedIn(client)
    accounts._nobody()
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, kept: str, password: str) -> bool:
        verified.append(kept.rpartition("$")[0].rpartition("$")[0])  # the algorithm and its costs
        return bool(verify(self, kept, password))

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    guest, answers = client_of(client.application), []
    for email in (ann.email, "nobody@paper.example"):
        signing_in.guesses._tries.clear()
        answers.append(
            guest.post("/console/sign-in", data={"email": email, "password": f"not {PASSWORD}"})
        )
    assert answers[0].status_code == answers[1].status_code == 403
    assert answers[0].text.replace(ann.email, "") == answers[1].text.replace(
        "nobody@paper.example", ""
    )
    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_too_many_guesses_are_refused_the_same_for_an_unknown_account(client: Client) -> None:
    ann = SignedIn(client)
    guest, answers = client_of(client.application), []
    for email in (ann.email, "nobody@paper.example"):
        signing_in.guesses._tries.clear()
        tries = [
            guest.post("/console/sign-in", data={"email": email, "password": "wrong"})
            for _ in range(12)
        ]
        answers.append([(answer.status_code, answer.text.replace(email, "")) for answer in tries])
    assert [status for status, _ in answers[0]] == [status for status, _ in answers[1]]
    assert 429 in {status for status, _ in answers[0]}


def test_each_row_of_the_table_names_tests_that_there_are() -> None:
    """A test is named as `tests/path.py::name`."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE.read_text(encoding="utf-8"))
    root = TABLE.parents[2]
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"def {name}(" not in (root / path).read_text("utf-8")
    ]
    assert len(named) > 15
    assert missing == []
    rows = [
        line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    assert [row for row in rows if "::" not in row and "what a reader sees" not in row] == []
