"""A block is applied to what waits, and the batch is undone, also without JavaScript."""

from __future__ import annotations

import re

import pytest

from models.identifiers import new_id
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS, SignedIn

BODY = "Visit https://casino.example and https://a.example and https://b.example"
BACK = "/console/?order=newest"


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


@pytest.fixture
def held(client: Client) -> list[str]:
    """Three that link to the casino, and one that does not."""
    ids = [
        posted(client, body=f"{n} {body}", email=f"r{n}@example.org", thread=f"/{n}")
        for n, body in enumerate((BODY, BODY, BODY, LINKS))
    ]
    screen_all()
    return ids


def follow(ann: SignedIn, location: str) -> str:
    return ann.get(location.removeprefix("/console"))


def band(page: str) -> str:
    """Return the text above the open comment."""
    return page.partition('id="said-so"')[2].partition('<div class="steps')[0]


def action(page: str) -> str:
    return re.findall(r'<form method="post" action="/console([^"]+)"', band(page))[0]


def test_a_blocked_host_offers_to_reject_waiting_comments_and_one_undo_restores_them(
    ann: SignedIn, held: list[str], moderator: Caller
) -> None:
    block = {"kind": "host", "value": "casino.example", "back": BACK}
    made = ann.form(f"/comments/{held[0]}/block", **block)
    page = follow(ann, made.location)
    assert "You blocked the host “casino.example”." in band(page)
    assert "The block also matches 3 waiting comments, including this one." in band(page)
    assert "Reject all 3" in band(page)
    assert moderator.record(held[0])["status"] == "flagged"  # nothing is decided yet

    applied = ann.form(action(page), back=BACK)
    assert applied.location.startswith(f"{BACK}&batch=")
    page = follow(ann, applied.location)
    assert "You rejected 3 comments as spam." in band(page)
    assert [moderator.record(id_)["status"] for id_ in held] == [*["rejected"] * 3, "flagged"]
    assert "rejected 3 comments as spam" in ann.get("/log")

    back = applied.location
    undo = action(page)
    undone = ann.form(undo, back=back)
    assert undone.location == back
    page = follow(ann, undone.location)
    assert "You undid the decisions on 3 comments." in band(page)
    assert "<form" not in band(page)
    assert {moderator.record(id_)["status"] for id_ in held} == {"flagged"}
    assert ann.form(undo, back=back).status_code == 409


def test_a_blocked_word_that_only_this_comment_uses_offers_to_reject_it(
    ann: SignedIn, client: Client
) -> None:
    comment = posted(client, body=f"A zeppelin {LINKS}")
    screen_all()
    made = ann.form(f"/comments/{comment}/block", kind="word", value="zeppelin", days="")
    page = follow(ann, made.location)
    assert "You blocked the word “zeppelin”. The block also matches this comment." in band(page)
    assert "Reject it" in band(page)


def test_a_trust_or_a_block_without_waiting_comments_is_only_confirmed(
    ann: SignedIn, held: list[str]
) -> None:
    for fields in (
        {"kind": "host", "value": "casino.example", "stance": "trust"},
        {"kind": "word", "value": "zeppelin"},
    ):
        page = follow(ann, ann.form(f"/comments/{held[0]}/block", **fields).location)
        assert f"“{fields['value']}”." in band(page)
        assert "<form" not in band(page)


def test_a_trust_that_is_applied_rejects_nothing(
    ann: SignedIn, held: list[str], moderator: Caller
) -> None:
    for fields in ({"kind": "author"}, {"kind": "host", "value": "casino.example"}):
        made = ann.form(f"/comments/{held[0]}/block", stance="trust", **fields)
        block = made.location.partition("blocked=")[2]
        assert ann.form(f"/blocks/{block}/apply").status_code == 303
    assert {moderator.record(id_)["status"] for id_ in held} == {"flagged"}


def test_decisions_made_with_a_block_are_undone_together(
    ann: SignedIn, held: list[str], moderator: Caller
) -> None:
    made = ann.form(f"/comments/{held[3]}/block", kind="author", others="1")
    page = follow(ann, made.location)
    assert "You rejected 1 comment as spam." in band(page)
    ann.form(action(page))
    assert moderator.record(held[3])["status"] == "flagged"


def test_a_viewer_cannot_apply_or_undo(
    ann: SignedIn, held: list[str], client: Client, moderator: Caller
) -> None:
    kim = SignedIn(client, "kim@paper.example", role="viewer")
    made = ann.form(f"/comments/{held[0]}/block", kind="host", value="casino.example")
    block = made.location.partition("blocked=")[2]
    assert "Reject all" not in kim.get(f"/?blocked={block}")
    assert kim.form(f"/blocks/{block}/apply").status_code == 403
    batch = ann.form(f"/blocks/{block}/apply").location.partition("batch=")[2]
    assert kim.form(f"/batches/{batch}/undo").status_code == 403
    assert moderator.record(held[0])["status"] == "rejected"
    assert "Undo all" not in kim.get("/log")


def test_an_ended_or_unknown_block_is_not_applied(ann: SignedIn, held: list[str]) -> None:
    made = ann.form(f"/comments/{held[0]}/block", kind="host", value="casino.example")
    block = made.location.partition("blocked=")[2]
    ann.form(f"/blocks/{block}/end")
    assert ann.form(f"/blocks/{block}/apply").status_code == 409
    assert "<form" not in band(ann.get(f"/?blocked={block}"))
    assert ann.form(f"/blocks/{new_id()}/apply").status_code == 404
    assert ann.form("/batches/x/undo").status_code == 404
    assert ann.form(f"/batches/{new_id()}/undo").status_code == 404
    for nonsense in ("?blocked=x", f"?blocked={new_id()}", "?batch=x", f"?batch={new_id()}"):
        assert "<form" not in band(ann.get(f"/{nonsense}"))


def test_the_log_undoes_a_batch(ann: SignedIn, held: list[str], moderator: Caller) -> None:
    batch = new_id()
    ann.decide(*held, verdict="reject", batch=batch)
    page = ann.get("/log")
    assert "Undo all" in page
    back = f"/console/log?batch={batch}"
    answer = ann.form(f"/batches/{batch}/undo", back=back)
    assert (answer.status_code, answer.location) == (303, back)
    assert {moderator.record(id_)["status"] for id_ in held} == {"flagged"}
