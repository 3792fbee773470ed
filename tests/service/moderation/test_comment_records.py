"""The whole record of a comment, and what a blind sample hides of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from models.records import Comment, Review, Site
from models.store.database import begin, now, reading
from service.moderation.comment_records import CommentRecord, full_records, is_hidden
from tests.caller import Caller, Client, posted, publish_all, screen_all
from tests.service.signed_in import LINKS


def records(ids: Sequence[str]) -> list[CommentRecord]:
    with reading(of_one_moment=True) as session:
        rows = {row.id: row for row in session.scalars(select(Comment).where(Comment.id.in_(ids)))}
        return full_records(session, [rows[id_] for id_ in ids])


def sample(comment_id: str) -> None:
    """Ask a moderator to judge it blindly."""
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        session.add(Review(site_id=site, comment_id=comment_id, cause="sampled", blind=True))


def hidden(*ids: str) -> set[str]:
    with reading() as session:
        return is_hidden(session, ids)


@pytest.fixture
def held(client: Client) -> str:
    comment = posted(client, name="Ann", website="https://ann.example", body=f"*Look* {LINKS}")
    screen_all()
    return comment


def test_records_come_in_the_order_that_was_asked_for(client: Client) -> None:
    ids = [posted(client, body=f"Number {n}", thread=f"/{n % 2}") for n in range(4)]
    asked = [ids[2], ids[0], ids[3], ids[1]]
    found = records(asked)
    assert [record["id"] for record in found] == asked
    assert [record["thread"] for record in found] == ["/0", "/0", "/1", "/1"]
    assert records([]) == []


def test_a_comment_that_waits_is_shown_as_it_would_be_rendered(client: Client) -> None:
    (record,) = records([posted(client, body="*Late* <script>")])
    assert record["status"] == "pending"
    assert "<em>Late</em>" in record["html"]
    assert "<script>" not in record["html"]
    assert record["evidence"] == []


def test_a_record_holds_what_was_sent_and_what_was_found(held: str) -> None:
    (record,) = records([held])
    assert record["email"] == "ann@example.org"
    assert record["website"] == "https://ann.example"
    assert record["at"].endswith("Z")
    assert [review["cause"] for review in record["reviews"]] == ["flagged"]
    assert {"links", "email", "spam"} <= {item["check"] for item in record["evidence"]}
    assert record["decisions"][0]["by"] == "policy"


def test_the_pages_title_is_that_of_the_thread_if_it_has_one(
    client: Client, moderator: Caller
) -> None:
    first = posted(client, title="The harbour", url="https://paper.example/harbour")
    assert records([first])[0]["title"] == "The harbour"
    moderator.decide(first, "approve")
    publish_all()
    second = posted(client, title="Another title", body="Once more")
    assert records([second])[0]["title"] == "The harbour"
    assert records([second])[0]["url"] == "https://paper.example/harbour"


def test_nothing_but_the_decisions_is_left_of_an_erased_comment(
    moderator: Caller, held: str
) -> None:
    moderator.decide(held, "reject", reason="spam")
    moderator.call("DELETE", f"/comments/{held}")
    (record,) = records([held])
    assert record["erased_at"]
    assert (record["name"], record["email"], record["body"], record["html"]) == ("", None, "", "")
    assert record["evidence"] == []
    assert "spam" in [decision["reason"] for decision in record["decisions"]]


def test_a_blind_sample_hides_what_greenroom_found_and_did(client: Client, held: str) -> None:
    approved = posted(client, body="The ferry was late.", email="ben@example.org")
    screen_all()
    for id_ in (approved, held):
        sample(id_)
    for record in records([approved, held]):
        assert record["blind"]
        assert (record["status"], record["evidence"], record["decisions"]) == ("flagged", [], [])
        (review,) = record["reviews"]
        assert (review["cause"], review["closed"]) == ("sampled", None)
    assert hidden(approved, held) == {approved, held}


def test_once_a_human_has_decided_nothing_is_hidden(moderator: Caller, held: str) -> None:
    sample(held)
    moderator.decide(held, "reject")
    (record,) = records([held])
    assert not record["blind"]
    assert record["evidence"]
    assert hidden(held) == set()


def test_an_earlier_decision_does_not_open_a_later_sample(moderator: Caller, held: str) -> None:
    moderator.decide(held, "approve")
    sample(held)
    assert hidden(held) == {held}


def test_a_closed_sample_hides_nothing(held: str) -> None:
    sample(held)
    with begin() as session:
        review = session.scalars(select(Review).where(Review.blind)).one()
        review.closed_at = now()
    assert hidden(held) == set()
    assert not records([held])[0]["blind"]
