"""Owners change the site's rules; moderators name one when they reject, and answer appeals."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.records import Membership
from models.settling.actor import Actor
from models.store.database import reading
from service.comments.receipts import receipt_of
from tests.caller import Client, posted
from tests.models.settling.deciding import decide
from tests.service.readers.test_appeals import WHY, appeal, receipt
from tests.service.signed_in import SignedIn

RULES: dict[str, Any] = {
    "key": ["spam", ""],
    "title": ["No shops", "Respect others"],
    "text": ["No links to shops.", "Criticize ideas."],
    "ground": ["house", "legal"],
    "reason": ["spam", "abuse"],
}


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def save(person: SignedIn, rules: dict[str, Any], version: int = 1) -> Any:
    fields = {**rules, "version": str(version), "csrf": person.csrf}
    return person.client.post("/console/sites/demo/rules", data=fields)


def test_owners_change_the_rules_and_get_the_defaults_back(ann: SignedIn) -> None:
    assert "These are Greenroom's default rules" in " ".join(ann.get("/sites/demo/rules").split())
    assert save(ann, RULES).status_code == 303
    page = ann.get("/sites/demo/rules")
    assert 'value="No shops"' in page
    assert 'value="respect-others"' in page  # a key from the title
    assert "Stay on topic" not in page
    assert save(ann, RULES).status_code == 409  # the version is no longer current
    empty = {name: ["" if name == "title" else each for each in RULES[name]] for name in RULES}
    assert save(ann, empty, version=2).status_code == 303
    assert "Stay on topic" in ann.get("/sites/demo/rules")


def test_a_wrong_rule_is_shown_again(ann: SignedIn) -> None:
    twice = {**RULES, "key": ["same", "same"]}
    answer = save(ann, twice)
    assert answer.status_code == 422
    assert "Two rules have the same key" in answer.text
    assert 'value="Respect others"' in answer.text
    assert save(ann, {**RULES, "key": ["a key", "b"]}).status_code == 422


def test_only_owners_change_rules(client: Client) -> None:
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    assert "Save rules" not in ben.get("/sites/demo/rules")
    assert save(ben, RULES).status_code == 403
    assert ben.client.get("/console/sites/other/rules").status_code == 404


def test_a_moderator_rejects_with_a_rule_and_words_to_the_author(
    client: Client, ann: SignedIn
) -> None:
    save(ann, RULES)
    comment = posted(client)
    assert "Respect others" in ann.get(f"/items/{comment}")
    form = {"verdict": "reject", "version": "1", "rule": "respect-others", "answer": "Be kind."}
    assert ann.form(f"/comments/{comment}/decisions", **form).status_code == 303
    statement = receipt(client, comment)["statement"]
    assert (statement["title"], statement["answer"]) == ("Respect others", "Be kind.")
    page = ann.get(f"/items/{comment}")
    assert "To the author: Be kind." in page
    wrong = ann.form(
        f"/comments/{comment}/decisions", verdict="reject", version="2", rule="nothing"
    )
    assert wrong.status_code == 422


def test_an_appeal_is_answered_by_another_moderator(client: Client, ann: SignedIn) -> None:
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    comment = posted(client)
    decide(comment, "reject", by=actor(ann), reason="abuse")
    appeal(client, comment)
    own = ann.get(f"/items/{comment}")
    assert WHY in own
    assert "You rejected this comment yourself." in own
    assert "Publish the comment" not in own
    items = [{"id": comment, "version": 2}]
    refused = ann.call("/decisions", verdict="approve", items=items)["refused"][0]["detail"]
    assert "against your own decision" in refused
    form = {"verdict": "approve", "version": "2", "answer": "Sorry."}
    assert ann.form(f"/comments/{comment}/decisions", **form).status_code == 409
    page = ben.get(f"/items/{comment}")
    assert "Publish the comment" in page
    assert "No insults, threats or hate" in page
    done = ben.call("/decisions", verdict="approve", items=items, answer="Sorry.")["done"]
    assert done[0]["status"] == "approved"
    assert receipt(client, comment)["appeal"]["answer"] == "Sorry."
    assert "The answer: <bdi>Sorry.</bdi>" in ann.get(f"/items/{comment}")


def test_the_appeal_waits_in_the_queue(client: Client, ann: SignedIn) -> None:
    comment = posted(client)
    decide(comment, "reject")
    assert comment not in ann.get("/?tab=review")
    client.post(f"/v1/receipts/{receipt_of(comment)}/appeal", json={"text": WHY})
    assert comment in ann.get("/?tab=review")


def actor(person: SignedIn) -> Actor:
    """Return the moderator that this person is. With one of two memberships, the first."""
    with reading() as session:
        ids = session.scalars(select(Membership.moderator_id).order_by(Membership.role.desc()))
        return Actor.moderator(ids.all()[0])
