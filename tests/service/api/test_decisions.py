"""Deciding, undoing and erasing over the API, with the effects on the published page and the event
log.
"""

from __future__ import annotations

from typing import Any

import pytest

from service.moderation import comment_records
from service.operations.metrics import CHECKS
from service.people import accounts
from service.sites import registering
from tests.caller import Caller, Client, post, posted, publish_all, screen_all


@pytest.fixture
def flagged(client: Client) -> str:
    """A comment in the queue: it has more links than the site allows."""
    comment = posted(
        client, body="https://a.example https://b.example https://c.example https://d.example"
    )
    screen_all()
    return comment


def shown(moderator: Caller) -> list[str]:
    publish_all()
    return [comment["id"] for comment in moderator.page()["comments"]]


def test_a_flagged_comment_is_in_the_queue_with_its_evidence(
    moderator: Caller, flagged: str
) -> None:
    queue = moderator.call("GET", "/queue?status=flagged").json
    assert queue is not None
    assert [item["id"] for item in queue["items"]] == [flagged]
    item = queue["items"][0]
    assert item["status"] == "flagged"
    assert item["email"] == "ann@example.org"
    assert {"links", "email", "spam", "words", "repeats", "pace", "author", "form"} <= {
        found["check"] for found in item["evidence"]
    }
    assert all(
        found["detail"] and found["version"] and found["ms"] >= 0 for found in item["evidence"]
    )
    assert [review["cause"] for review in item["reviews"]] == ["flagged"]
    assert any("4 links" in reason for reason in item["decisions"][0]["reasons"])
    assert item["decisions"][0]["by"] == "policy"


def test_approved_comments_are_on_the_page_and_rejected_ones_leave_it(
    moderator: Caller, flagged: str
) -> None:
    assert shown(moderator) == []
    decided = moderator.decide(flagged, "approve")
    assert decided.status_code == 201
    assert shown(moderator) == [flagged]
    moderator.decide(flagged, "reject", reason="spam")
    assert shown(moderator) == []
    assert moderator.record(flagged)["reviews"][0]["closed"] is not None


def test_a_record_is_of_one_moment(
    moderator: Caller, flagged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record never mixes two states: its decisions, status and version belong together."""
    rest = comment_records._latest_evidence

    def meanwhile(*asked: Any) -> Any:
        """The comment has been read, but its decisions have not."""
        monkeypatch.setattr(comment_records, "_latest_evidence", rest)
        assert moderator.decide(flagged, "approve").status_code == 201
        return rest(*asked)

    before = moderator.record(flagged)
    for path in (f"/comments/{flagged}", "/queue", "/lists/review"):
        monkeypatch.setattr(comment_records, "_latest_evidence", meanwhile)
        answer: Any = moderator.call("GET", path).json
        assert answer.get("items", [answer]) == [before], path
        assert moderator.undo(flagged).status_code == 201
        before = moderator.record(flagged)


def test_undo_goes_back_one_human_decision_at_a_time(moderator: Caller, flagged: str) -> None:
    first = moderator.decide(flagged, "approve").json
    second = moderator.decide(flagged, "reject").json
    assert first is not None
    assert second is not None
    assert moderator.undo(flagged, decision=first["id"]).status_code == 409
    assert moderator.undo(flagged, decision=second["id"]).status_code == 201
    assert moderator.record(flagged)["status"] == "approved"
    assert shown(moderator) == [flagged]
    assert moderator.undo(flagged).status_code == 201
    record = moderator.record(flagged)
    assert record["status"] == "flagged"
    assert [review["closed"] for review in record["reviews"]].count(None) == 1
    assert moderator.undo(flagged).status_code == 409
    assert shown(moderator) == []


def test_a_decision_on_an_old_version_says_who_was_first(moderator: Caller, flagged: str) -> None:
    version = moderator.record(flagged)["version"]
    assert moderator.decide(flagged, "approve", version=version).status_code == 201
    late = moderator.decide(flagged, "reject", version=version)
    assert late.status_code == 409
    assert late.json is not None
    assert "approve" in late.json["detail"]
    assert moderator.record(flagged)["status"] == "approved"


def test_a_decision_that_changes_nothing_is_recorded_but_makes_no_event(
    moderator: Caller, flagged: str
) -> None:
    moderator.decide(flagged, "approve")
    events, record = moderator.events(), moderator.record(flagged)
    assert moderator.decide(flagged, "approve", note="still fine").status_code == 201
    again = moderator.record(flagged)
    assert again["version"] == record["version"]
    assert len(again["decisions"]) == len(record["decisions"]) + 1
    assert moderator.events() == events


def test_events_count_without_gaps_and_name_what_they_supersede(
    moderator: Caller, flagged: str
) -> None:
    moderator.decide(flagged, "approve")
    moderator.decide(flagged, "reject")
    moderator.undo(flagged)
    events = moderator.events()
    assert [event["type"] for event in events] == [
        "comment.flagged",
        "comment.approved",
        "comment.rejected",
        "comment.approved",
    ]
    assert [event["data"]["sequence"] for event in events] == [1, 2, 3, 4]
    assert [event["data"]["supersedes"] for event in events] == [
        None,
        *[event["id"] for event in events[:-1]],
    ]
    assert "ann@example.org" not in str(events)
    page = moderator.call("GET", "/events?limit=2").json
    rest = moderator.call("GET", f"/events?after={page['next']}").json
    assert [*page["events"], *rest["events"]] == events


def test_an_erased_comment_leaves_nothing_but_a_place_for_its_answers(
    client: Client, moderator: Caller
) -> None:
    parent = posted(
        client, name="Forgetme", website="https://forgetme.example", body="Unforgettable words."
    )
    moderator.decide(parent, "approve", note="quotes Unforgettable")
    answer = posted(client, parent=parent, body="I disagree.")
    moderator.decide(answer, "approve")
    assert moderator.call("DELETE", f"/comments/{parent}").status_code == 204
    assert moderator.call("DELETE", f"/comments/{parent}").status_code == 204
    publish_all()
    page = moderator.page()
    assert page["count"] == 1
    assert page["comments"][0]["id"] is None
    assert page["comments"][0]["removed"] is True
    assert [reply["id"] for reply in page["comments"][0]["replies"]] == [answer]
    kept = str([page, moderator.record(parent), moderator.events()]).lower()
    assert "unforgettable" not in kept
    assert "forgetme" not in kept
    assert moderator.events()[-1]["type"] == "comment.deleted"
    assert moderator.decide(parent, "approve").status_code == 409
    assert moderator.undo(parent).status_code == 409
    assert post(client, parent=parent, body="To nobody").status_code == 404


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("read", "GET", "/events", 200),
        ("read", "GET", "/queue", 403),
        ("moderate", "GET", "/queue", 200),
        ("moderate", "GET", "/events", 200),
        ("moderate", "GET", "/policy", 403),
        ("admin", "GET", "/policy", 200),
        ("admin", "GET", "/queue", 200),
    ],
)
def test_a_key_may_do_what_its_scope_says(
    client: Client, scope: str, method: str, path: str, status: int
) -> None:
    caller = Caller(client, accounts.create_key("demo", scope))
    assert caller.call(method, path).status_code == status


def test_a_key_of_another_site_has_no_access(
    client: Client, moderator: Caller, flagged: str
) -> None:
    registering.add_site("other", ["https://other.example"])
    stranger = Caller(client, accounts.create_key("other", "admin"))
    assert stranger.decide(flagged, "approve").status_code == 403
    headers = {"Authorization": f"Bearer {stranger.key}"}
    assert client.get(f"/v1/sites/other/comments/{flagged}", headers=headers).status_code == 404
    assert Caller(client, "gr_wrong").call("GET", "/queue").status_code == 401
    assert client.get("/v1/sites/demo/queue").status_code == 401


@pytest.mark.parametrize(
    "wrong", [{}, {"verdict": "maybe"}, {"verdict": "approve", "version": "3"}, {"verdict": 1}]
)
def test_a_decision_of_the_wrong_shape_is_refused(
    moderator: Caller, flagged: str, wrong: dict[str, object]
) -> None:
    assert moderator.call("POST", f"/comments/{flagged}/decisions", json=wrong).status_code == 422


def test_the_queue_hands_out_everything_once_by_cursor(client: Client, moderator: Caller) -> None:
    wanted = [posted(client, body=f"Waiting {number}") for number in range(7)]
    seen, cursor = [], ""
    while True:
        page = moderator.call("GET", f"/queue?status=pending&limit=3{cursor}").json
        assert page is not None
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == wanted


def test_the_policy_is_kept_by_version_and_decides(client: Client, moderator: Caller) -> None:
    policy = moderator.call("GET", "/policy").json
    assert policy is not None
    policy["words"]["blocked"] = ["lottery*"]
    saved = moderator.call("PUT", "/policy", json=policy)
    assert saved.status_code == 200
    assert (
        moderator.call("PUT", "/policy", json=policy).status_code == 409
    )  # based on the version before
    comment = posted(client, body="Win at the LOTTERYWHEEL today")
    screen_all()
    assert moderator.record(comment)["status"] == "rejected"
    wrong = {**policy, "version": None, "words": {"blocked_patterns": ["(unclosed"]}}
    assert moderator.call("PUT", "/policy", json=wrong).status_code == 422
    assert moderator.call("PATCH", "/policy", json={"links": {"max_links": -1}}).status_code == 422


@pytest.mark.parametrize("title", ["", "   ", "\u202e", "\u200b"])
def test_a_threads_title_is_something_to_read(moderator: Caller, title: str) -> None:
    assert (
        moderator.call("PATCH", "/threads", json={"thread": "/harbour", "title": title}).status_code
        == 422
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/counts?thread=a%00b", None),
        ("GET", "/comments?thread=a%00b", None),
        ("PATCH", "/threads", {"thread": "a\0b"}),
        ("PUT", "/policy", {"words": {"blocked": ["a\0b"]}}),
        ("PUT", "/policy", {"could_not_run": {"a\0b": "flag"}}),
        ("PUT", "/policy", {"links": {"max_links": "3"}}),
        ("PUT", "/policy", {"links": {"max_links": True}}),
        ("GET", "/events?after=999999999999999.999999999999999", None),
        ("GET", "/queue?limit=0000000019999", None),
    ],
)
def test_nul_and_numbers_beyond_all_bounds_are_refused(
    moderator: Caller, method: str, path: str, body: object
) -> None:
    assert moderator.call(method, path, **({"json": body} if body else {})).status_code == 422


@pytest.mark.parametrize(
    ("policy", "field", "message"),
    [
        ({"links": None}, "links", "This must be an object."),
        ({"links": {"max_links": "2"}}, "links.max_links", "This must be a whole number."),
        ({"spam": {"flag_above": 2}}, "spam.flag_above", "This must be at most 1.0."),
        ({"words": {"held": "casino"}}, "words.held", "This must be a list."),
        ({"moderation": "never"}, "moderation", "This must be 'after' or 'before'."),
        (
            {"could_not_run": {"emial": "approve"}},
            "could_not_run.emial",
            f"There is no such check. The checks are: {', '.join(CHECKS)}.",
        ),
        (
            {"could_not_run": {"E-Mail": "flag"}},
            "could_not_run.E-Mail",
            "String should match pattern '^[a-z_]{1,40}$'",
        ),
    ],
)
def test_an_error_in_a_policy_is_named_by_its_place_and_explained(
    moderator: Caller, policy: dict[str, object], field: str, message: str
) -> None:
    answer = moderator.call("PUT", "/policy", json=policy)
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"field": field, "message": message}]


def test_only_the_readers_form_is_answered_by_a_page(
    client: Client, moderator: Caller, flagged: str
) -> None:
    form = moderator.call("POST", f"/comments/{flagged}/decisions", data={"verdict": "approve"})
    assert (form.status_code, form.content_type) == (415, "application/problem+json")
    wrong = client.post("/openapi.json")
    assert (wrong.status_code, wrong.content_type) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]


def test_a_note_loses_its_nul(moderator: Caller, flagged: str) -> None:
    assert moderator.decide(flagged, "approve", note="a\0b").json["note"] == "ab"


def test_a_redirect_does_not_lead_where_the_host_header_says(client: Client) -> None:
    answer = client.get("/console", headers={"Host": "evil.example"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/console/sign-in"


def test_an_unknown_branch_of_replies_is_empty_in_a_thread_that_is_not(
    client: Client, moderator: Caller
) -> None:
    moderator.decide(posted(client), "approve")
    publish_all()
    page = moderator.page(replies="01a2031b-663b-7080-a01f-7e74a3039c2b")
    assert (page["count"], page["comments"]) == (1, [])
