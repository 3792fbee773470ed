"""The rows that a change of status writes: the comment, its thread, its decision, reviews and
events.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Verdict
from models.records import (
    Comment,
    DecisionRecord,
    Event,
    Fingerprint,
    LinkedHost,
    Review,
    Screening,
    Site,
    Thread,
)
from models.settling.actor import POLICY, Actor
from models.settling.changes import Change, Screened, Settled
from models.settling.settling import LEARN_EVERY, names_of, risk_of, settle
from models.store.database import begin, now, reading
from tests.caller import Client, posted
from tests.models.settling.deciding import ANN, BEN, decide, settle_one

FOUND, CLEAR = Outcome.FOUND, Outcome.CLEAR


def evidence(check: str, outcome: Outcome = CLEAR, **about: Any) -> Evidence:
    return Evidence(check=check, outcome=outcome, detail="", **about)


def screened(*found: Evidence, number: int = 1, **about: Any) -> Screened:
    return Screened(number, found, 1, "en", html="<p>The ferry.</p>", **about)


def comment_of(comment_id: str) -> Comment:
    with reading() as session:
        return session.get_one(Comment, comment_id)


def thread_of(comment_id: str) -> Thread:
    with reading() as session:
        return session.get_one(Thread, session.get_one(Comment, comment_id).thread_id)


def reviews_of(comment_id: str, *, opened: bool = True) -> list[str]:
    """Return the causes of its open reviews, or of its closed ones."""
    is_open = Review.closed_at.is_(None) if opened else Review.closed_at.is_not(None)
    with reading() as session:
        wanted = select(Review.cause).where(Review.comment_id == comment_id, is_open)
        return sorted(session.scalars(wanted))


def events_of(comment_id: str) -> list[Event]:
    log = select(Event).where(Event.comment_id == comment_id).order_by(Event.sequence)
    with reading() as session:
        return list(session.scalars(log))


def count(record: Any) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(record)) or 0


def test_an_approval_shows_the_comment_on_its_page(client: Client) -> None:
    comment = posted(client)
    settled = settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    assert settled
    assert (settled.status, settled.version) == ("approved", 2)
    assert (settled.is_new, settled.touches_page) == (True, True)
    thread, row = thread_of(comment), comment_of(comment)
    assert (thread.count, thread.revision, thread.places) == (1, 1, 1)
    assert thread.publish_due
    assert (row.place, row.revision, row.html) == (0, 1, "<p>The ferry was late again.</p>")
    assert (row.screen_due, row.seen_at) == (None, row.settled_at)


def test_a_change_for_an_older_version_does_nothing(client: Client) -> None:
    comment = posted(client)
    decide(comment, "reject")
    assert settle_one(Change(comment, Verdict.APPROVE, by=BEN, version=1)) is None
    assert settle_one(Change(comment, Verdict.APPROVE, by=BEN, version=2))
    assert count(DecisionRecord) == 2


def test_changes_are_answered_one_for_one(client: Client) -> None:
    one, two = posted(client), posted(client, body="It was on time today.")
    decide(two, "reject")
    changes = [Change(two, Verdict.APPROVE, by=ANN, version=1), Change(one, Verdict.FLAG, by=ANN)]
    with begin() as session:
        first, second = settle(session, changes)
    assert first is None
    assert second
    assert second.comment_id == one


def test_a_screening_counts_once(client: Client) -> None:
    comment = posted(client)
    change = Change(comment, Verdict.APPROVE, screened=screened(evidence("links")))
    assert settle_one(change)
    assert settle_one(change) is None
    assert count(Screening) == 1


def test_a_screening_does_not_overrule_a_human(client: Client) -> None:
    comment = posted(client)
    decide(comment, "reject")
    assert settle_one(Change(comment, Verdict.APPROVE, screened=screened())) is None
    assert comment_of(comment).status == "rejected"


def test_a_screening_without_a_verdict_leaves_the_comment_waiting(client: Client) -> None:
    comment, later = posted(client), now() + timedelta(minutes=5)
    failed = evidence("email", Outcome.UNAVAILABLE)
    settled = settle_one(Change(comment, None, screened=screened(failed, again=later)))
    assert settled
    assert (settled.decision_id, settled.is_new, settled.touches_page) == (None, False, False)
    row = comment_of(comment)
    assert (row.status, row.screenings, row.screen_due) == ("pending", 1, later)
    assert count(DecisionRecord) == 0


def test_a_screening_that_changes_nothing_makes_no_decision(client: Client) -> None:
    comment, later = posted(client), now()
    settle_one(Change(comment, Verdict.FLAG, screened=screened(again=later)))
    settled = settle_one(Change(comment, Verdict.FLAG, screened=screened(number=2)))
    assert settled
    assert settled.decision_id is None
    assert (count(DecisionRecord), count(Screening), len(events_of(comment))) == (1, 2, 1)


def test_a_screening_leaves_what_later_checks_and_lists_need(client: Client) -> None:
    comment = posted(client)
    row = comment_of(comment)
    found = (
        evidence("spam", FOUND, score=0.75),
        evidence("repeats", campaign=comment),
        evidence("links", FOUND),
    )
    host = {"site_id": row.site_id, "host": "paper.example", "comment_id": comment}
    band = {"site_id": row.site_id, "band": 1, "comment_id": comment, "at": row.at}
    about = screened(*found, hosts=[host, host], fingerprints=[band, band])
    settle_one(Change(comment, Verdict.FLAG, screened=about))
    row = comment_of(comment)
    assert (row.risk, row.found, row.campaign) == (0.75, " links spam ", comment)
    assert (row.language, row.html) == ("en", "<p>The ferry.</p>")
    assert (count(LinkedHost), count(Fingerprint)) == (1, 1)


def test_a_human_decision_that_changes_nothing_is_recorded_without_an_event(
    client: Client,
) -> None:
    comment = posted(client)
    decide(comment, "approve")
    settled = settle_one(Change(comment, Verdict.APPROVE, by=BEN))
    assert settled
    assert (settled.version, settled.is_new, settled.touches_page) == (2, False, False)
    assert (count(DecisionRecord), len(events_of(comment))) == (2, 1)
    assert thread_of(comment).revision == 1


def test_a_comment_keeps_the_place_of_its_first_approval(client: Client) -> None:
    first, second = posted(client), posted(client, body="It was on time today.")
    for verdict in ("approve", "reject"):
        decide(first, verdict)
    decide(second, "approve")
    decide(first, "approve")
    assert [comment_of(each).place for each in (first, second)] == [0, 1]
    assert (thread_of(first).count, thread_of(first).places) == (2, 2)


def test_a_reply_gets_its_place_among_the_replies_of_its_branch(client: Client) -> None:
    top = posted(client)
    decide(top, "approve")
    replies = [posted(client, parent=top, body=f"Reply {n}") for n in range(2)]
    for reply in replies[::-1]:
        decide(reply, "approve")
    assert [comment_of(each).place for each in replies] == [1, 0]
    assert comment_of(top).places == 2
    assert (thread_of(top).places, thread_of(top).count) == (1, 3)


def test_a_flag_opens_a_review_and_an_approval_closes_it(client: Client) -> None:
    comment = posted(client)
    decide(comment, "flag", by=POLICY)
    assert reviews_of(comment) == ["flagged"]
    approved = decide(comment, "approve")
    assert reviews_of(comment) == []
    with reading() as session:
        review = session.scalars(select(Review)).one()
    assert (review.closed_by, review.risk) == (approved, 0.5)
    assert review.due_at == review.opened_at + timedelta(days=1)


def test_a_second_flag_opens_no_second_review(client: Client) -> None:
    comment = posted(client)
    decide(comment, "flag", by=POLICY)
    decide(comment, "flag")
    assert reviews_of(comment) == ["flagged"]


def test_a_sampled_comment_is_reviewed_blindly_whatever_its_status(client: Client) -> None:
    live, held = posted(client), posted(client, body="It was on time today.")
    settle_one(Change(live, Verdict.APPROVE, screened=screened(), blind=True))
    settle_one(Change(held, Verdict.FLAG, screened=screened(), blind=True))
    assert (reviews_of(live), reviews_of(held)) == (["sampled"], ["flagged"])
    with reading() as session:
        assert all(session.scalars(select(Review.blind)))


def test_a_review_says_how_likely_its_comment_was_to_be_reviewed(client: Client) -> None:
    live, held, named, told = (posted(client, body=f"The ferry was {n} late.") for n in range(4))
    settle_one(Change(live, Verdict.APPROVE, screened=screened(), blind=True, share=0.02))
    settle_one(Change(held, Verdict.FLAG, screened=screened(), blind=True, share=0.02))
    settle_one(Change(named, Verdict.FLAG, by=ANN))
    settle_one(Change(told, Verdict.FLAG, screened=screened()))
    with reading() as session:
        rows = session.execute(select(Review.comment_id, Review.propensity)).all()
    assert {row.comment_id: row.propensity for row in rows} == {
        live: 0.02,
        held: 1,
        named: None,
        told: 1,
    }


def test_an_event_has_the_public_state_and_the_event_it_replaces(client: Client) -> None:
    comment = posted(client)
    settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    settle_one(Change(comment, Verdict.REJECT, by=Actor.key("1", "CMS"), reason="off_topic"))
    approved, rejected = events_of(comment)
    assert (approved.type, rejected.type) == ("comment.approved", "comment.rejected")
    assert (approved.supersedes, rejected.supersedes) == (None, approved.id)
    assert (approved.ends_approval, rejected.ends_approval) == (False, True)
    assert (approved.revision, rejected.revision) == (1, 2)
    assert rejected.data["decision"] == {
        "by": "moderator",
        "actor": {"type": "key", "id": "1", "name": "CMS"},
        "verdict": "reject",
        "reasons": ["off topic"],
    }
    assert rejected.data["comment"]["version"] == 3
    assert "ann@example.org" not in str(rejected.data)


def test_events_of_one_transaction_share_a_position_and_are_numbered(client: Client) -> None:
    ids = [posted(client, body=f"The {n} ferry was late.") for n in range(3)]
    with begin() as session:
        settle(session, [Change(id_, Verdict.APPROVE, by=ANN) for id_ in ids])
    decide(ids[0], "reject")
    log = [(event.position, event.nth) for id_ in ids for event in events_of(id_)]
    assert sorted(log) == [(1, 1), (1, 2), (1, 3), (2, 1)]


def test_a_site_is_due_to_learn_with_its_25th_decision_by_humans(client: Client) -> None:
    comment = posted(client)
    with begin() as session:
        session.execute(update(Site).values(fresh_decisions=LEARN_EVERY - 2))
    decide(comment, "approve", by=POLICY)
    decide(comment, "flag")  # it gives no label
    assert site() == (LEARN_EVERY - 2, False)
    decide(comment, "reject")
    assert site() == (LEARN_EVERY - 1, False)
    decide(comment, "approve")
    assert site() == (LEARN_EVERY, True)


def test_a_site_that_is_due_to_learn_stays_due_since_then(client: Client) -> None:
    comment, since = posted(client), now() - timedelta(hours=1)
    with begin() as session:
        session.execute(update(Site).values(fresh_decisions=LEARN_EVERY, learn_due=since))
    decide(comment, "reject")
    with reading() as session:
        assert session.scalars(select(Site.learn_due)).one() == since


def site() -> tuple[int, bool]:
    """Return how many fresh decisions the site has, and whether it is due to learn."""
    with reading() as session:
        row = session.scalars(select(Site)).one()
    return row.fresh_decisions, row.learn_due is not None


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ((), ""),
        ((evidence("spam"),), ""),
        ((evidence("spam", FOUND), evidence("links", Outcome.UNAVAILABLE)), " links spam "),
        ((evidence("abuse", FOUND), evidence("spam", Outcome.ABSTAINED)), " abuse spam "),
        # The abuse check leaves a language that it does not know to the others.
        ((evidence("abuse", Outcome.ABSTAINED),), ""),
    ],
)
def test_names_are_of_the_checks_that_found_something_or_could_not_run(
    found: tuple[Evidence, ...], names: str
) -> None:
    assert names_of(found) == names


def test_the_risk_is_the_largest_score() -> None:
    assert risk_of([evidence("links", score=3), evidence("spam", score=0.25)]) == 0.25
    abuse = evidence("abuse", score=0.8)
    assert risk_of([evidence("spam", score=0.25), abuse]) == 0.8
    assert risk_of([evidence("spam", Outcome.ABSTAINED), abuse]) == 0.8
    assert risk_of([evidence("links", score=3)]) is None


def test_an_outcome_says_how_long_the_comment_waited(client: Client) -> None:
    comment = posted(client)
    with begin() as session:
        at = session.get_one(Comment, comment).at
        session.execute(update(Comment).values(at=at - timedelta(seconds=9)))
    settled = settle_one(Change(comment, Verdict.APPROVE, by=ANN))
    assert isinstance(settled, Settled)
    assert settled.ms >= 9000
    assert settled.site == "demo"
