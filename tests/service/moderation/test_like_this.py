""" "Decide like this for 24 hours": comments that say nearly the same are decided as the moderator
chose.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from models.records import Comment
from models.store.database import now, reading
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import SignedIn

SAID = (
    "Save the harbour! Write to the council before Friday and tell them what the ferry means to you"
)


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def said(client: Client, text: str = SAID, *, n: int = 0) -> str:
    comment = posted(client, body=text, email=f"reader{n}@example.org", thread=f"/{n}")
    screen_all()
    return comment


def status_of(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def test_similar_comments_are_rejected_until_the_rule_ends_and_the_log_names_its_author(
    client: Client, ann: SignedIn, moderator: Caller
) -> None:
    first = said(client)
    assert ann.form(f"/comments/{first}/block", kind="like", stance="reject").status_code == 303
    like, other = (
        said(client, f"{SAID}!! Sam", n=1),
        said(client, "Does the ferry still go on Sundays in winter?", n=2),
    )
    assert (status_of(like), status_of(other), status_of(first)) == (
        "rejected",
        "approved",
        "approved",
    )
    record = moderator.record(like)
    (decision,) = record["decisions"]
    assert decision["by"] == "policy"
    assert (
        "nearly the same text as an earlier comment; a moderator chose to reject such comments"
        in decision["reasons"][0]
    )
    assert decision["note"].startswith("by a rule from moderator:")
    assert "by a rule from ann@paper.example" in ann.get(f"/items/{like}")
    assert "moderator:" not in str(moderator.events())
    assert "ann@paper.example" not in str(moderator.events())
    assert "made a rule to reject similar comments until" in ann.get("/log")
    with time_machine.travel(now() + timedelta(hours=25)):
        later = said(client, f"{SAID}, Kim", n=3)
    assert status_of(later) != "rejected"


def test_it_is_listed_and_ended_like_a_block(
    client: Client, ann: SignedIn, moderator: Caller
) -> None:
    first = said(client)
    ann.form(f"/comments/{first}/block", kind="like", stance="flag", days="7")
    page = ann.get("/blocks")
    assert "Save the harbour!" in page
    assert "Hold</b> comments like" in page
    assert status_of(said(client, f"{SAID}, Kim", n=1)) == "flagged"
    (rule,) = moderator.call("GET", "/blocks").json["blocks"]
    ann.form(f"/blocks/{rule['id']}/end")
    assert status_of(said(client, f"{SAID}, Lee", n=2)) == "approved"


def test_a_rule_does_not_spread_through_a_chain_of_similar_comments(
    client: Client, ann: SignedIn
) -> None:
    """B is like A, and C is like B. C is not like A, and no human has seen C."""
    words = SAID.split()
    first = said(client)
    ann.form(f"/comments/{first}/block", kind="like", stance="reject")
    near = " ".join([*words[3:], "or the pier"])
    far = " ".join(
        [*words[9:], "or the pier and the old lighthouse, where my parents met each other"]
    )
    assert status_of(said(client, near, n=1)) == "rejected"
    assert status_of(said(client, far, n=2)) == "approved"


def test_waiting_comments_are_decided_with_it_as_one_batch(
    client: Client, moderator: Caller
) -> None:
    text = f"{SAID} https://a.example https://b.example https://c.example"
    ids = [said(client, f"{text} {n}", n=n) for n in range(4)]
    assert {status_of(id_) for id_ in ids} == {"flagged"}
    new = {"kind": "like", "stance": "approve", "comment": ids[0], "days": 1, "others": True}
    shown: Any = moderator.call("GET", f"/comments/{ids[0]}/others?kind=like").json
    made: Any = moderator.call("POST", "/blocks", json=new).json
    assert (
        [each["id"] for each in made["decided"]] == [each["id"] for each in shown["items"]] == ids
    )
    assert {status_of(id_) for id_ in ids} == {"approved"}
    moderator.call("POST", "/decisions/undo", json={"batch": made["batch"]})
    assert {status_of(id_) for id_ in ids} == {"flagged"}


def test_a_rule_to_approve_cancels_repeats_and_nothing_else(
    client: Client, moderator: Caller
) -> None:
    first = said(client)
    held = [said(client, n=n) for n in range(1, 5)][-1]
    assert status_of(held) == "flagged"
    moderator.call(
        "POST", "/blocks", json={"kind": "like", "stance": "approve", "comment": first, "days": 1}
    )
    assert status_of(said(client, n=5)) == "approved"
    links = "https://a.example https://b.example https://c.example"
    assert status_of(said(client, f"{SAID} {links}", n=6)) == "flagged"


def test_an_erased_comment_is_similar_to_no_other(client: Client, moderator: Caller) -> None:
    first = said(client)
    moderator.call(
        "POST", "/blocks", json={"kind": "like", "stance": "reject", "comment": first, "days": 1}
    )
    moderator.call("DELETE", f"/comments/{first}")
    (rule,) = moderator.call("GET", "/blocks").json["blocks"]
    assert "harbour" not in rule["label"]
    assert status_of(said(client, f"{SAID}, Kim", n=1)) == "approved"
