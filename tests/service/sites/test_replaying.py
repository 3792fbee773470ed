"""A draft of a policy is tried on earlier decisions, and changes nothing."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from sqlalchemy import func, select, update

from models.judgement.evidence import Evidence, Outcome, StoredEvidence
from models.judgement.policy import (
    AbusePolicy,
    LinksPolicy,
    Policy,
    SamplePolicy,
    SpamPolicy,
    ThreadsPolicy,
    WordsPolicy,
)
from models.records import Comment, DecisionRecord, Screening, Site, Thread
from models.store.database import begin, now, reading
from service.sites.replaying import Replay, replay
from tests.caller import Caller, Client, posted, screen_all
from tests.service.signed_in import LINKS


@pytest.fixture
def settled(client: Client) -> dict[str, str]:
    """One comment that Greenroom approved, and one that it flagged for its links."""
    ids = {
        "approved": posted(client, name="Ben", body="The ferry was late.", email="b@example.org"),
        "flagged": posted(client, name="Ann", body=f"See {LINKS}", email="a@example.org"),
    }
    screen_all()
    return ids


def tried(draft: Policy, last: int = 100) -> Replay:
    with reading() as session:
        return replay(session, session.scalars(select(Site)).one(), draft, last)


def test_the_policy_in_force_changes_nothing(settled: dict[str, str]) -> None:
    found = tried(Policy())
    assert (found["comments"], found["changed"]) == (2, 0)
    assert found["now"] == found["draft"]
    assert (found["now"]["approve"], found["now"]["flag"]) == (1, 1)
    assert found["since"]


def test_a_change_is_counted_by_its_way_with_samples(settled: dict[str, str]) -> None:
    found = tried(Policy(words=WordsPolicy(blocked=("ferry",))))
    assert found["changes"] == [{"from": "approve", "to": "reject", "count": 1}]
    (sample,) = found["samples"]
    assert (sample["id"], sample["name"]) == (settled["approved"], "Ben")
    assert sample["excerpt"] == "The ferry was late."
    assert "ferry" in " ".join(sample["reasons"])
    assert sample["human"] is None


def test_a_draft_that_contradicts_a_human_is_reported(
    moderator: Caller, settled: dict[str, str]
) -> None:
    moderator.decide(settled["approved"], "approve")
    found = tried(Policy(words=WordsPolicy(blocked=("ferry",))))["contradicts"]
    assert found["count"] == found["approved by a human, and rejected"] == 1
    assert [sample["human"] for sample in found["comments"]] == ["approve"]


def test_asking_a_human_again_contradicts_nobody(
    moderator: Caller, settled: dict[str, str]
) -> None:
    moderator.decide(settled["approved"], "approve")
    found = tried(Policy(words=WordsPolicy(held=("ferry",))))
    assert found["changed"] == 1
    assert found["contradicts"]["count"] == 0


def test_a_decision_that_was_undone_is_no_humans_word(
    moderator: Caller, settled: dict[str, str]
) -> None:
    moderator.decide(settled["approved"], "approve")
    moderator.undo(settled["approved"])
    found = tried(Policy(words=WordsPolicy(blocked=("ferry",))))
    assert found["contradicts"]["count"] == 0


def test_only_the_newest_are_tried(settled: dict[str, str]) -> None:
    found = tried(Policy(links=LinksPolicy(max_links=9)), last=1)
    assert found["comments"] == 1
    assert {sample["id"] for sample in found["samples"]} <= {settled["flagged"]}


def test_a_blind_sample_is_not_talked_about(client: Client, moderator: Caller) -> None:
    moderator.call("PATCH", "/policy", json={"sample": {"share": 1}})
    posted(client)
    screen_all()
    assert tried(Policy())["comments"] == 0


def test_a_replay_counts_what_a_draft_would_sample_and_close(settled: dict[str, str]) -> None:
    with begin() as session:
        site = session.scalars(select(Site)).one()
        old = now().replace(year=now().year - 1)
        session.add(Thread(site_id=site.id, key="/old", created_at=old))
    draft = Policy(sample=SamplePolicy(share=1), threads=ThreadsPolicy(close_after_days=30))
    found = tried(draft)
    assert (found["threads_closed"], found["sampled"]) == (1, 2)
    assert tried(Policy())["threads_closed"] == 0


def test_nothing_is_changed_by_trying(settled: dict[str, str]) -> None:
    def state() -> tuple[object, ...]:
        with reading() as session:
            statuses = session.execute(select(Comment.id, Comment.status, Comment.version)).all()
            decisions = session.scalar(select(func.count()).select_from(DecisionRecord))
            return (sorted(map(tuple, statuses)), decisions)

    before = state()
    tried(Policy(words=WordsPolicy(blocked=("ferry",))))
    assert state() == before


def scored(abuse: float) -> None:
    """Store what the abuse check found in each comment."""
    with begin() as session:
        for screening in session.scalars(select(Screening)):
            others = [item for item in screening.evidence if item["check"] != "abuse"]
            detail = f"abuse score {abuse:.2f}: probably abusive"
            found = Evidence("abuse", Outcome.FOUND, detail, score=abuse)
            screening.evidence = [*others, StoredEvidence(**asdict(found))]


def test_a_draft_with_another_limit_for_abuse_is_tried_on_the_stored_scores(
    settled: dict[str, str],
) -> None:
    scored(0.6)
    found = tried(Policy(abuse=AbusePolicy(flag_above=0.7)))
    assert found["changes"] == [{"from": "flag", "to": "approve", "count": 1}]
    (sample,) = found["samples"]
    assert sample["id"] == settled["approved"]
    found = tried(Policy(abuse=AbusePolicy(flag_above=0.55)))
    assert (found["changed"], found["draft"]["reject"]) == (0, 0)


def test_both_scores_of_a_comment_are_tried(settled: dict[str, str]) -> None:
    scored(0.6)
    above_all = Policy(abuse=AbusePolicy(flag_above=0.7), spam=SpamPolicy(flag_above=0.0))
    found = tried(above_all)
    assert (found["now"]["flag"], found["draft"]["flag"], found["changed"]) == (2, 2, 0)
    neither = Policy(abuse=AbusePolicy(flag_above=0.7), spam=SpamPolicy(flag_above=1.0))
    assert tried(neither)["draft"]["approve"] == 1


def test_a_draft_that_reads_a_language_first_is_tried(settled: dict[str, str]) -> None:
    with begin() as session:
        session.execute(update(Comment).values(language="tr"))
    found = tried(Policy(abuse=AbusePolicy(first_in_languages=("tr",))))
    assert found["changes"] == [{"from": "approve", "to": "flag", "count": 1}]
    assert found["samples"][0]["reasons"][0] == (
        "this site reviews every comment in Turkish before publishing it"
    )
