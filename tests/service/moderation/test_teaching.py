"""The teaching queue over the API: listing picks, asking for more, labelling them, and undoing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.judgement.picks import SESSION
from models.records import Site
from models.settling.labels import labels
from models.store.database import begin, now, reading
from service.moderation import blocks, teaching
from service.moderation.queue import View
from service.operations.metrics import _oldest_review
from service.sites.error_rates import error_rates
from tests.caller import Caller, Client, publish_all
from tests.service.picked import pick, pick_of, picked, publish, status_of
from worker.learning.teaching import draw_picks


def listed(moderator: Caller, query: str = "teach=1") -> list[Any]:
    answer = moderator.call("GET", f"/queue?{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def site() -> Site:
    with reading() as session:
        return session.scalars(select(Site)).one()


def test_asking_has_a_worker_draw_picks_which_the_queue_then_lists(
    client: Client, moderator: Caller
) -> None:
    live = publish(client)
    asked = moderator.call("POST", "/queue/teach")
    assert (asked.status_code, asked.json) == (202, {"waiting": 0, "session": SESSION})
    assert listed(moderator) == []
    draw_picks(site().id)
    assert {item["id"] for item in listed(moderator)} == set(live)
    assert moderator.call("POST", "/queue/teach").json["waiting"] == len(live)


def test_listing_changes_nothing(client: Client, moderator: Caller) -> None:
    picked(client)
    before = listed(moderator)
    assert listed(moderator) == before
    assert site().teach_due is None


def test_the_list_goes_on_where_it_stopped(client: Client, moderator: Caller) -> None:
    ids = picked(client)
    first = moderator.call("GET", "/queue?teach=1&limit=2").json
    second = moderator.call("GET", f"/queue?teach=1&limit=3&cursor={first['next']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next"] is None


def test_a_pick_is_blind_until_it_is_decided(client: Client, moderator: Caller) -> None:
    comment = picked(client, 1)[0]
    record = listed(moderator)[0]
    assert (record["blind"], record["evidence"], record["decisions"]) == (True, [], [])
    assert (record["status"], record["reviews"][0]["cause"]) == ("flagged", "sampled")
    assert moderator.decide(comment, "approve").status_code == 201
    record = moderator.record(comment)
    assert record["evidence"]
    assert [review["cause"] for review in record["reviews"]] == ["teaching"]


def test_a_good_live_comment_stays_live_and_its_pick_closes(
    client: Client, moderator: Caller
) -> None:
    comment = picked(client, 1)[0]
    publish_all()
    events = len(moderator.events())
    decided = moderator.decide(comment, "approve").json
    assert status_of(comment) == "approved"
    assert pick_of(comment).closed_by == decided["id"]
    assert len(moderator.events()) == events
    assert listed(moderator) == []


def test_a_bad_live_comment_leaves_the_page(client: Client, moderator: Caller) -> None:
    comment = picked(client, 1)[0]
    assert moderator.decide(comment, "reject", reason="abuse").status_code == 201
    publish_all()
    assert status_of(comment) == "rejected"
    assert moderator.page()["comments"] == []


def test_an_undone_label_opens_the_same_pick_with_its_chance(
    client: Client, moderator: Caller
) -> None:
    comment = publish(client, 1)[0]
    pick(comment, propensity=0.02)
    opened = pick_of(comment)
    assert moderator.decide(comment, "reject", reason="spam").status_code == 201
    assert moderator.undo(comment).status_code == 201
    again = pick_of(comment)
    assert (again.id, again.propensity, again.closed_at) == (opened.id, 0.02, None)
    assert status_of(comment) == "approved"
    assert [item["id"] for item in listed(moderator)] == [comment]


def test_a_label_teaches_with_the_chance_of_its_pick(client: Client, moderator: Caller) -> None:
    good, spam = publish(client, 2)
    pick(good, propensity=0.02)
    pick(spam)
    for comment, verdict, reason in ((good, "approve", None), (spam, "reject", "spam")):
        said = {"reason": reason, "learn": True}
        assert moderator.decide(comment, verdict, **said).status_code == 201
    with reading() as session:
        taught = {each.comment: each for each in labels(session, site().id)}
    assert (taught[good].lessons, taught[good].propensity) == (
        {"spam": False, "abuse": False},
        0.02,
    )
    assert (taught[spam].lessons, taught[spam].propensity) == ({"spam": True}, None)
    assert {each.origin for each in taught.values()} == {"teaching"}


def test_picks_do_not_wait_for_a_decision(client: Client, moderator: Caller) -> None:
    """Their comments are live or rejected already, so no other list or number counts them."""
    comment = picked(client, 1)[0]
    for query in ("status=review", "status=flagged"):
        assert listed(moderator, query) == []
    for tab in ("review", "unread"):
        assert moderator.call("GET", f"/lists/{tab}").json["items"] == []
    with begin() as session:
        assert View().count(session, [site().id]) == 0
        assert session.scalar(_oldest_review()) is None
        block = blocks.Block(site_id=site().id, kind="word", stance="block", value="ferry", by="")
        assert blocks.covered(session, block) == []
    assert status_of(comment) == "approved"


def test_a_pick_that_is_sent_to_review_waits_there(client: Client, moderator: Caller) -> None:
    comment = picked(client, 1)[0]
    assert moderator.decide(comment, "flag").status_code == 201
    assert listed(moderator) == []
    assert [item["id"] for item in listed(moderator, "status=flagged")] == [comment]


def test_picks_do_not_count_as_a_blind_sample(client: Client, moderator: Caller) -> None:
    """Most are picked because the models are uncertain, so they err more often on them."""
    comment = picked(client, 1)[0]
    moderator.decide(comment, "reject", reason="spam")
    with reading() as session:
        assert error_rates(session, site().id).judged == 0


@pytest.mark.parametrize("label", ["good", "spam", "abuse"])
def test_every_label_is_an_ordinary_decision(label: teaching.Label) -> None:
    verdict, reason = teaching.DECISIONS[label]
    assert (verdict, reason) == {
        "good": ("approve", None),
        "spam": ("reject", "spam"),
        "abuse": ("reject", "abuse"),
    }[label]


def test_asking_twice_makes_a_drawing_due_once(data: object) -> None:
    first = now()
    teaching.ask_for_picks(site().id)
    due = site().teach_due
    assert due is not None
    assert due >= first
    teaching.ask_for_picks(site().id)
    assert site().teach_due == due
