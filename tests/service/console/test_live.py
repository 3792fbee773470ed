"""Requests of the queue's script while the page is open: the current list, or that it is
unchanged.
"""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from werkzeug.test import TestResponse

from models.store.database import now
from service.console import live
from tests.caller import Client, posted, screen_all
from tests.service.signed_in import LINKS, SignedIn


@pytest.fixture
def ann(client: Client) -> SignedIn:
    return SignedIn(client)


def hold(client: Client, count: int) -> list[str]:
    """Add comments that wait, oldest first."""
    ids = [
        posted(client, body=f"{'abcdefgh'[n % 8] * 9} {n} {LINKS}", email=f"r{n}@example.org")
        for n in range(count)
    ]
    screen_all()
    return ids


def ask(who: SignedIn, query: str = "", **headers: str) -> TestResponse:
    return who.client.get(f"/console/changes?{query}", headers=headers)


def ids(answer: TestResponse) -> list[str]:
    assert answer.json is not None
    return [id_ for id_, _ in answer.json["rows"]]


def more_link(who: SignedIn) -> str:
    """Return the cursor of the second page."""
    return who.get("/").partition("after=")[2].partition('"')[0]


def test_nothing_new_is_a_304(client: Client, ann: SignedIn) -> None:
    hold(client, 2)
    with time_machine.travel(now(), tick=False):
        first = ask(ann)
        again = ask(ann, **{"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("change", ["decision", "comment", "question", "time", "other list"])
def test_each_change_is_reported(client: Client, ann: SignedIn, change: str) -> None:
    first, _ = hold(client, 2)
    with time_machine.travel(now(), tick=False) as clock:
        tag = ask(ann, "shown=2").headers["ETag"]
        query = "shown=2"
        match change:
            case "decision":
                ann.decide(first)
            case "comment":
                posted(client, body="New")
            case "question":
                ann.form(f"/comments/{first}/questions", text="Well?", whom="owner")
            case "time":
                clock.shift(live.RECHECK_SECONDS)
            case "other list":
                query = "shown=2&tab=all"
        assert ask(ann, query, **{"If-None-Match": tag}).status_code == 200


def test_the_answer_covers_the_list_as_far_as_the_page_shows_it(
    client: Client, ann: SignedIn
) -> None:
    held = hold(client, 45)
    cursor = more_link(ann)
    first_page = ann.listed()
    answer = ask(ann, f"shown=40&until={cursor}")
    assert ids(answer) == first_page
    assert answer.json is not None
    assert answer.json["following"] == cursor
    ann.decide(held[0])
    assert {*ids(ask(ann, f"shown=39&until={cursor}"))} == {*first_page} - {held[0]}
    assert {*ids(ask(ann, "shown=45"))} == {*held} - {held[0]}


def test_a_list_whose_last_page_is_shown_ends_there(client: Client, ann: SignedIn) -> None:
    held = hold(client, 3)
    answer = ask(ann, f"order=newest&shown=1&until={held[0]}").json
    assert answer is not None
    assert answer["following"] is None


def test_an_answer_with_many_new_rows_stops_earlier(
    client: Client, ann: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.console.rows.PAGE_SIZE", 1)
    held = hold(client, 6)
    answer = ask(ann, f"tab=all&shown=1&until={held[0]}").json
    assert answer is not None
    assert [id_ for id_, _ in answer["rows"]] == held[:2:-1]
    assert answer["following"] == held[3]


def test_a_row_is_fetched_by_its_id_with_its_fingerprint(client: Client, ann: SignedIn) -> None:
    held = hold(client, 3)
    answer = ask(ann, "shown=3").json
    assert answer is not None
    fingerprint = dict(answer["rows"])[held[1]]
    html = ann.get(f"/rows?shown=3&only={held[1]},nonsense")
    assert held[0] not in html
    assert f'data-id="{held[1]}"' in html
    assert f'data-print="{fingerprint}"' in html


def test_the_open_comment_lists_changes_that_the_page_does_not_show_yet(
    client: Client, ann: SignedIn
) -> None:
    (comment,) = hold(client, 1)

    def open_comment(version: int) -> Any:
        answer = ask(ann, f"item={comment}&version={version}").json
        assert answer is not None
        return answer["open"]

    assert open_comment(2) == {"id": comment, "version": 2, "change": None, "held_by": None}
    ben = SignedIn(client, "ben@paper.example", role="moderator")
    ben.call(f"/claims/{comment}")
    assert open_comment(2)["held_by"] == "ben@paper.example"
    ben.decide(comment, verdict="reject")
    assert open_comment(2)["change"] == "ben@paper.example rejected it just now."
    assert open_comment(3)["change"] is None


def test_a_comment_of_another_site_stays_unknown(client: Client, ann: SignedIn) -> None:
    other = "0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10"
    answer = ask(ann, f"item={other}&version=1").json
    assert answer is not None
    assert answer["open"] is None
