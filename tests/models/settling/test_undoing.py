"""Undoing a decision restores the state before it, unless someone decided later."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.records import Comment, DecisionRecord, Review
from models.settling.actor import POLICY
from models.settling.erasing import erase
from models.settling.undoing import Refused, undo, undo_each
from models.store.database import begin, reading
from tests.caller import Client, posted
from tests.models.settling.deciding import ANN, BEN, decide, take_back


def status_of(comment: str) -> str:
    with reading() as session:
        return session.get_one(Comment, comment).status


def refusal(comment: str, decision: str | None = None) -> str:
    with pytest.raises(Refused) as refused, begin() as session:
        undo(session, comment, by=ANN, decision=decision)
    return str(refused.value)


def test_the_status_before_comes_back(client: Client) -> None:
    comment = posted(client)
    decide(comment, "approve", by=POLICY)
    rejected = decide(comment, "reject")
    take_back(comment, by=BEN)
    assert status_of(comment) == "approved"
    with reading() as session:
        entry = session.scalars(
            select(DecisionRecord).where(DecisionRecord.undoes == rejected)
        ).one()
    assert (entry.by, entry.verdict, entry.becomes) == (str(BEN), "approve", "approved")
    assert entry.reasons == ["undid the decision to reject"]


def test_decisions_are_undone_from_the_latest_one_back(client: Client) -> None:
    comment = posted(client)
    decide(comment, "flag", by=POLICY)
    decide(comment, "approve")
    decide(comment, "reject")
    take_back(comment)
    assert status_of(comment) == "approved"
    take_back(comment)
    assert status_of(comment) == "flagged"
    assert "no moderator's decision to undo" in refusal(comment)


def test_a_comment_that_was_decided_before_its_screening_becomes_flagged(
    client: Client,
) -> None:
    comment = posted(client)
    decide(comment, "approve")
    take_back(comment)
    assert status_of(comment) == "flagged"


def test_the_reviews_that_the_decision_closed_open_again(client: Client) -> None:
    comment = posted(client)
    decide(comment, "flag", by=POLICY)
    with begin() as session:
        site = session.get_one(Comment, comment).site_id
        session.add(Review(site_id=site, comment_id=comment, cause="reported"))
    decide(comment, "approve")
    take_back(comment)
    with reading() as session:
        still_open = select(Review.cause).where(Review.closed_at.is_(None))
        assert sorted(session.scalars(still_open)) == ["flagged", "reported"]


def test_a_colleagues_later_decision_is_not_undone(client: Client) -> None:
    comment = posted(client)
    mine = decide(comment, "reject")
    decide(comment, "approve", by=BEN)
    assert refusal(comment, mine).startswith(f"There is a newer decision: {BEN} approved it at ")
    assert status_of(comment) == "approved"


def test_a_decision_is_undone_once(client: Client) -> None:
    comment = posted(client)
    decide(comment, "approve")
    mine = decide(comment, "reject")
    take_back(comment)
    assert refusal(comment, mine) == "That decision has already been undone."


def test_an_erased_comment_stays_erased(client: Client) -> None:
    comment = posted(client)
    decide(comment, "approve")
    with begin() as session:
        erase(session, comment, by=ANN)
    assert refusal(comment) == "This comment was erased and can't be restored."
    assert status_of(comment) == "deleted"


def test_many_are_undone_at_once_with_results_in_the_given_order(client: Client) -> None:
    one, two, three = (posted(client, body=f"The {n} ferry was late.") for n in range(3))
    decide(one, "approve", by=POLICY)
    mine = decide(three, "reject")
    decide(two, "approve")
    with begin() as session:
        outcomes = undo_each(session, {three: mine, one: None, two: None}, by=ANN)
    assert list(outcomes) == [three, one, two]
    assert [isinstance(each, Refused) for each in outcomes.values()] == [False, True, False]
    assert [status_of(each) for each in (one, two, three)] == ["approved", "flagged", "flagged"]
