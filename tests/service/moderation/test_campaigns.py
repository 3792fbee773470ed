"""The queue by campaigns, and a draft policy tried on decided comments."""

from __future__ import annotations

from typing import Any

import pytest

from service.moderation.campaigns import outliers_first
from tests.caller import Caller, Client, posted, screen_all

SERMON = (
    "My life was ruined until I met the great healer who brought my husband back to me within "
    "two days, "
    "and I promised to tell the whole world about his wonderful work. Write to him today! "
    "Number {n}"
)


@pytest.fixture
def waiting(client: Client, moderator: Caller) -> list[str]:
    """Hold a comment without similar ones, five of a campaign, and another one without similar
    ones.
    """
    moderator.call("PATCH", "/policy", json={"moderation": "before", "sample": {"share": 0}})
    bodies = [
        "The ferry was late again.",
        *(SERMON.format(n=n) for n in range(5)),
        "Has anyone seen my grey cat?",
    ]
    return [
        posted(client, body=body, email=f"reader{n}@paper.example") for n, body in enumerate(bodies)
    ]


def groups(moderator: Caller, query: str = "") -> Any:
    answer = moderator.call("GET", f"/queue?group=campaign{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("at_once", [True, False])
def test_comments_that_say_the_same_are_grouped(
    moderator: Caller, waiting: list[str], at_once: bool
) -> None:
    from worker.screening.screening import screen_now

    if not at_once:
        for comment in waiting:
            screen_now([comment])
    screen_all()
    found = groups(moderator)
    assert [(group["campaign"], group["count"]) for group in found["groups"]] == [
        (None, 1),
        (waiting[1], 5),
        (None, 1),
    ]
    assert [item["id"] for item in found["groups"][1]["items"]] == waiting[1:4]
    assert found["groups"][1]["items"][1]["evidence"]
    assert found["next"] is None


def test_groups_are_handed_out_once_by_cursor(moderator: Caller, waiting: list[str]) -> None:
    screen_all()
    first = groups(moderator, "&limit=2")
    assert first["next"] == waiting[1]
    rest = groups(moderator, f"&limit=2&cursor={first['next']}")
    assert [group["items"][0]["id"] for group in rest["groups"]] == [waiting[6]]
    assert moderator.call("GET", "/queue?group=colour").status_code == 422


def test_the_last_comment_of_a_campaign_is_still_part_of_it(
    moderator: Caller, waiting: list[str]
) -> None:
    screen_all()
    for comment in waiting[1:5]:
        moderator.decide(comment, "reject")
    assert [group["campaign"] for group in groups(moderator)["groups"]] == [None, waiting[1], None]


def test_a_replay_reports_what_a_draft_would_change_and_changes_nothing(
    client: Client, moderator: Caller
) -> None:
    moderator.call("PATCH", "/policy", json={"sample": {"share": 0}})
    lottery = posted(client, body="You won the lottery, dear reader")
    ferry = posted(client, body="The ferry was late again.")
    linked = posted(client, body="https://a.example https://b.example https://c.example")
    screen_all()
    moderator.decide(lottery, "approve")
    moderator.decide(linked, "reject")
    before = [moderator.record(comment) for comment in (lottery, ferry, linked)]
    spam = {"flag_above": 1, "flag_above_with_hint": 1}
    draft = {
        "words": {"blocked": ["lottery"]},
        "links": {"max_links": 9},
        "spam": spam,
        "last": 100,
    }
    answer = moderator.call("POST", "/policy/replay", json=draft)
    assert answer.status_code == 200, answer.text
    told = answer.json
    assert told is not None
    assert (told["comments"], told["changed"]) == (3, 2)
    assert told["draft"] == {"approve": 2, "flag": 0, "reject": 1, "wait": 0}
    assert {(move["from"], move["to"]): move["count"] for move in told["changes"]} == {
        ("approve", "reject"): 1,
        ("flag", "approve"): 1,
    }
    assert told["contradicts"]["count"] == 2
    assert {item["id"]: item["human"] for item in told["contradicts"]["comments"]} == {
        lottery: "approve",
        linked: "reject",
    }
    assert "lottery" in told["contradicts"]["comments"][-1]["reasons"][0]
    assert [moderator.record(comment) for comment in (lottery, ferry, linked)] == before
    assert moderator.call("GET", "/policy").json["words"]["blocked"] == []


def test_a_replay_looks_at_the_form_again(client: Client, moderator: Caller) -> None:
    token = client.get("/v1/sites/demo/form").json["token"]
    moderator.call("PATCH", "/policy", json={"form": {"min_seconds": 0}, "sample": {"share": 0}})
    posted(client, token=token)
    screen_all()
    draft = {"form": {"min_seconds": 60, "too_quick": "flag"}}
    told = moderator.call("POST", "/policy/replay", json=draft).json
    assert told is not None
    assert (told["now"]["approve"], told["draft"]["flag"]) == (1, 1)


@pytest.mark.parametrize(
    "wrong", [{"last": 0}, {"last": 2001}, {"words": {"blocked_patterns": ["("]}}, {"speling": 1}]
)
def test_a_draft_that_makes_no_sense_is_refused(
    moderator: Caller, wrong: dict[str, object]
) -> None:
    assert moderator.call("POST", "/policy/replay", json=wrong).status_code == 422


def test_a_replay_on_an_empty_site_reports_nothing(moderator: Caller) -> None:
    told = moderator.call("POST", "/policy/replay", json={}).json
    assert told is not None
    assert (told["comments"], told["since"], told["samples"]) == (0, None, [])


def test_outliers_are_first_in_any_script_and_equals_keep_their_order() -> None:
    sold = "اربح المال من البيت بدون خبرة، سجل الآن"
    texts = {
        "a": sold,
        "b": sold,
        "c": f"هل يقرأ أحد هذا؟ {sold} احذفوه من فضلكم",
        "d": f"{sold}!",
        "e": "",
    }
    assert outliers_first(texts) == ["e", "c", "d", "a", "b"]
    assert outliers_first({}) == []
