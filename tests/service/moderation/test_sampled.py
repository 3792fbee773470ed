"""A blind sample of automatic decisions: the same choice each time, indistinguishable until
decided, and counted.
"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from models.identifiers import new_id
from models.settling.sampling import is_sampled
from service.commands.main import main
from service.comments.receipts import receipt_of
from tests.caller import Caller, Client, posted, publish_all, screen_all
from worker.screening.screening import screen_now

LINKS = "https://a.example https://b.example https://c.example https://d.example"


def sample(moderator: Caller, share: float) -> None:
    policy = {"sample": {"share": share}, "words": {"blocked": ["lottery"]}}
    assert moderator.call("PATCH", "/policy", json=policy).status_code == 200


def shown(record: dict[str, Any]) -> dict[str, Any]:
    """Return everything by which a moderator could distinguish two comments, except their text."""
    told = {"status", "version", "evidence", "reviews", "decisions", "blind", "campaign"}
    return {name: value for name, value in record.items() if name in told and name != "reviews"} | {
        "reviews": [{**review, "opened": ""} for review in record["reviews"]]
    }


def listed(moderator: Caller, status: str) -> list[str]:
    return [item["id"] for item in moderator.call("GET", f"/queue?status={status}").json["items"]]


@pytest.fixture
def three(client: Client, moderator: Caller) -> dict[str, str]:
    """One comment that the machine approves, one that it flags and one that it rejects, all of them
    sampled.
    """
    sample(moderator, 1)
    made = {
        "approved": posted(client, body="The ferry was late again."),
        "flagged": posted(client, body=LINKS),
        "rejected": posted(client, body="You won the lottery"),
    }
    screen_all()
    return made


def test_until_it_is_decided_nobody_can_tell_what_the_machine_did(
    moderator: Caller, three: dict[str, str]
) -> None:
    records = [moderator.record(comment) for comment in three.values()]
    assert shown(records[0]) == shown(records[1]) == shown(records[2])
    assert records[0]["evidence"] == []
    for status in ("flagged", "review"):
        assert listed(moderator, status) == list(three.values())
    for status in ("approved", "rejected", "pending"):
        assert listed(moderator, status) == []


def test_what_a_reader_asks_is_shown_although_the_comment_is_sampled(
    client: Client, moderator: Caller, three: dict[str, str]
) -> None:
    edited, rejected = three["approved"], three["rejected"]
    client.patch(f"/v1/receipts/{receipt_of(edited)}", json={"body": LINKS})
    appeal = client.post(f"/v1/receipts/{receipt_of(rejected)}/appeal", json={"text": "Why?"})
    assert appeal.status_code == 201
    screen_now([edited])
    assert [edit["body"] for edit in moderator.record(edited)["edits"]] == [LINKS]
    assert [each["text"] for each in moderator.record(rejected)["appeals"]] == ["Why?"]


def test_a_live_comment_stays_live_while_it_is_looked_at(
    moderator: Caller, three: dict[str, str]
) -> None:
    publish_all()
    assert [comment["id"] for comment in moderator.page()["comments"]] == [three["approved"]]


@pytest.mark.parametrize("verdict", ["approve", "reject", "flag"])
def test_after_the_decision_all_is_shown(
    moderator: Caller, three: dict[str, str], verdict: str
) -> None:
    status = {"approve": "approved", "reject": "rejected", "flag": "flagged"}[verdict]
    for was, comment in three.items():
        assert moderator.decide(comment, verdict).status_code == 201
        record = moderator.record(comment)
        assert (record["status"], record["blind"]) == (status, False)
        assert record["evidence"]
        assert [entry["verdict"] for entry in record["decisions"]][-1] == verdict
        assert record["decisions"][0]["by"] == "policy"
        assert (was == "flagged") == (
            "sampled" not in {review["cause"] for review in record["reviews"]}
        )


def test_the_error_rates_come_from_the_sample(moderator: Caller, three: dict[str, str]) -> None:
    moderator.decide(three["approved"], "reject")
    moderator.decide(three["flagged"], "approve")
    moderator.decide(three["rejected"], "approve")
    said = CliRunner().invoke(main, ["evaluate", "--site", "demo"], env={"COLUMNS": "120"})
    assert said.exit_code == 0, said.output
    rows = {
        line.strip("│ ").partition("│")[0].strip(): line
        for line in said.output.splitlines()
        if "│" in line
    }
    assert "judged blindly: 3" in said.output
    for name in (
        "good comments held back",
        "bad comments let through",
        "wrongly approved",
    ):
        assert "100.0%" in rows[name]
    assert "2.5% – 100.0%" in rows["bad comments let through"]


def test_human_decisions_outside_the_sample_do_not_count(client: Client, moderator: Caller) -> None:
    sample(moderator, 0)
    comment = posted(client, body=LINKS)
    screen_all()
    assert moderator.record(comment)["evidence"]
    moderator.decide(comment, "approve")
    assert "judged blindly: 0" in CliRunner().invoke(main, ["evaluate", "--site", "demo"]).output


def test_the_console_keeps_quiet_too(
    client: Client, moderator: Caller, three: dict[str, str]
) -> None:
    from service.people import accounts

    password = accounts.add_moderator("ann@example.org", "demo", "owner", "correct horse")
    client.post("/console/sign-in", data={"email": "ann@example.org", "password": password})
    page = client.get("/console/").text
    queue = page[page.index('id="rows"') :]  # the part above it is about changed settings
    assert "You will see what it found after you decide" in queue
    assert "lottery" in queue  # the comment's text
    assert "4 links" not in queue
    assert "blocked" not in queue


def test_the_choice_is_the_same_each_time_and_about_its_share(data: object) -> None:
    ids = [new_id() for _ in range(4000)]
    chosen = [comment for comment in ids if is_sampled(comment, 0.1, 1000)]
    assert chosen == [comment for comment in ids if is_sampled(comment, 0.1, 10)]
    assert 300 < len(chosen) < 500
    assert not any(
        is_sampled(comment, 0.1, 8) for comment in ids
    )  # before there would be one sampled comment
    assert not any(is_sampled(comment, 0, 10**6) for comment in ids)
