"""The labels for a site's model: the standing human decisions."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Verdict
from models.judgement.scores import SPAM
from models.records import PolicyVersion, Site
from models.settling.actor import POLICY, Actor, Kind
from models.settling.changes import Change, Screened
from models.settling.erasing import erase
from models.settling.labels import Decided, contexts_of, labels, lessons_of
from models.store.database import begin, now, reading
from service.sites import registering
from tests.caller import COMMENT, Client, posted
from tests.models.settling.deciding import ANN, BEN, decide, settle_one, take_back


def learned(most: int = 10) -> list[Decided]:
    with reading() as session:
        site = session.scalars(select(Site.id).where(Site.key == "demo")).one()
        return labels(session, site, most)


def some(client: Client, count: int) -> list[str]:
    return [posted(client, body=f"The {n} ferry was late.") for n in range(count)]


def test_approved_is_good_and_rejected_is_spam_in_the_order_of_the_decisions(
    client: Client,
) -> None:
    one, two = some(client, 2)
    decide(two, "reject", reason="spam")
    decide(one, "approve")
    assert [(each.comment, each.lessons[SPAM]) for each in learned()] == [(two, True), (one, False)]
    assert learned()[1].body == "The 0 ferry was late."


def test_only_the_latest_decision_on_a_comment_counts(client: Client) -> None:
    (comment,) = some(client, 1)
    decide(comment, "approve")
    decide(comment, "reject", by=BEN, reason="spam")
    assert [each.lessons[SPAM] for each in learned()] == [True]
    take_back(comment)
    assert [each.lessons[SPAM] for each in learned()] == [False]
    decide(comment, "flag")
    assert learned() == []


def test_neither_the_policy_nor_an_erased_comment_teaches(client: Client) -> None:
    one, two = some(client, 2)
    decide(one, "approve", by=POLICY)
    decide(two, "approve")
    with begin() as session:
        erase(session, two, by=ANN)
    assert learned() == []


def test_the_newest_are_kept(client: Client) -> None:
    ids = some(client, 4)
    for comment in ids:
        decide(comment, "approve")
    assert [each.comment for each in learned(2)] == ids[2:]


def test_another_sites_decisions_teach_nothing_here(client: Client) -> None:
    registering.add_site("other", ["https://paper.example"])
    answer = client.post("/v1/sites/other/comments", json=COMMENT)
    assert answer.json
    decide(str(answer.json["id"]), "approve")
    assert learned() == []


def test_a_label_has_the_counts_of_the_latest_screening(client: Client) -> None:
    (comment,) = some(client, 1)
    for number, links in ((1, 2), (2, 5)):
        found = Evidence(check="spam", outcome=Outcome.CLEAR, detail="", counts={"links": links})
        other = Evidence(check="links", outcome=Outcome.CLEAR, detail="", counts={"links": 9})
        screened = Screened(number, [other, found], 1, "en", again=now())
        settle_one(Change(comment, Verdict.FLAG, screened=screened))
    decide(comment, "approve")
    (label,) = learned()
    assert (label.context, label.language) == ({"links": 5}, "en")
    with reading() as session:
        assert contexts_of(session, []) == {}


@pytest.mark.parametrize(
    ("verdict", "reason", "found", "lessons"),
    [
        ("approve", None, {}, {"spam": False, "abuse": False}),
        ("reject", "spam", {"abuse"}, {"spam": True}),
        ("reject", "abuse", {"spam"}, {"abuse": True}),
        ("reject", "off_topic", {"spam", "abuse"}, {}),
        ("reject", "other", {"spam", "abuse"}, {}),
        ("reject", None, {"spam", "links"}, {"spam": True}),
        ("reject", None, {"abuse"}, {"abuse": True}),
        ("reject", None, {"spam", "abuse"}, {"spam": True, "abuse": True}),
        ("reject", None, {"links"}, {}),
        ("flag", None, {"spam"}, {}),
    ],
)
def test_a_decision_teaches_only_what_it_says(
    verdict: str, reason: str | None, found: set[str], lessons: dict[str, bool]
) -> None:
    assert lessons_of(verdict, reason, frozenset(found)) == lessons


def test_without_a_reason_counts_what_the_checks_had_found_at_that_time(client: Client) -> None:
    (comment,) = some(client, 1)
    settle_one(Change(comment, Verdict.FLAG, screened=screened_with(spam="found", abuse="clear")))
    decide(comment, "reject")
    assert [each.lessons for each in learned()] == [{"spam": True}]


def screened_with(**outcomes: str) -> Screened:
    evidence = [Evidence(check, Outcome(outcome), "") for check, outcome in outcomes.items()]
    return Screened(1, evidence, 1, "en")


def test_a_keys_decision_teaches_only_if_it_says_so(client: Client) -> None:
    silent, asked = some(client, 2)
    decide(silent, "approve", by=Actor.key("1"), teaches=False)
    decide(asked, "approve", by=Actor.key("1"), teaches=True)
    assert [(each.comment, each.by) for each in learned()] == [(asked, Kind.KEY)]


def test_a_key_that_learns_and_a_call_that_asks_teach() -> None:
    key, learning = Actor.key("1"), Actor.key("1", learn=True)
    assert (key.teaches(), key.teaches(asked=True), learning.teaches()) == (False, True, True)
    assert ANN.teaches() is None


def test_a_label_has_the_propensity_and_the_cause_of_its_review(client: Client) -> None:
    held, drawn, found = some(client, 3)
    clear = screened_with(spam="clear")
    settle_one(Change(held, Verdict.FLAG, screened=clear))
    settle_one(Change(drawn, Verdict.APPROVE, screened=clear, blind=True, share=0.02))
    settle_one(Change(found, Verdict.APPROVE, screened=clear))
    for comment in (held, drawn, found):
        decide(comment, "approve")
    known = [(each.propensity, each.origin, each.is_random) for each in learned()]
    assert known == [(1, "queue", False), (0.02, "blind sample", True), (None, "other", False)]


def test_an_earlier_blind_sample_had_the_share_of_the_policy_of_that_time(client: Client) -> None:
    (drawn,) = some(client, 1)
    settle_one(Change(drawn, Verdict.APPROVE, screened=screened_with(spam="clear"), blind=True))
    with begin() as session:
        site = session.scalars(select(Site.id).where(Site.key == "demo")).one()
        then = {"sample": {"share": 0.25}}
        session.add(PolicyVersion(site_id=site, version=1, policy=then, by="the command line"))
    decide(drawn, "approve")
    assert [each.propensity for each in learned()] == [0.25]
