"""The labels for a site's model: the standing human decisions."""

from __future__ import annotations

from sqlalchemy import select

from models.judgement.evidence import Evidence, Outcome
from models.judgement.policy import Verdict
from models.records import Site
from models.settling.actor import POLICY
from models.settling.changes import Change, Screened
from models.settling.erasing import erase
from models.settling.labels import Decided, contexts_of, labels
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
    decide(two, "reject")
    decide(one, "approve")
    assert [(each.comment, each.spam) for each in learned()] == [(two, True), (one, False)]
    assert learned()[1].body == "The 0 ferry was late."


def test_only_the_latest_decision_on_a_comment_counts(client: Client) -> None:
    (comment,) = some(client, 1)
    decide(comment, "approve")
    decide(comment, "reject", by=BEN)
    assert [each.spam for each in learned()] == [True]
    take_back(comment)
    assert [each.spam for each in learned()] == [False]
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
