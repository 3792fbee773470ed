"""The quality of a site's automatic decisions: in the API, as a table, in the console, as a
sentence.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models.identifiers import new_id
from models.records import Comment, DecisionRecord, PolicyVersion, Review, Site, Thread
from models.store.database import begin, now, reading
from service.people import accounts
from service.sites import quality as figures
from service.sites.quality import Row, Span, sentence, span
from tests.caller import Caller, Client, posted, screen_all

LINKS = "https://a.example https://b.example https://c.example https://d.example"


def shown(moderator: Caller, query: str = "") -> Any:
    answer = moderator.call("GET", f"/quality{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def decided(moderator: Caller, client: Client, verdicts: dict[str, list[str]]) -> list[str]:
    """Post a comment for each verdict, screen them, and decide them as a human. Each is named by
    what the machine does with it.
    """
    moderator.call("PATCH", "/policy", json={"words": {"blocked": ["lottery"]}})
    text = {"live": "The ferry was late.", "held": LINKS, "rejected": "You won the lottery"}
    posts = [(group, verdict) for group, each in verdicts.items() for verdict in each]
    ids = [
        posted(client, body=f"{text[group]} {number}", email=f"r{number}@example.org")
        for number, (group, _) in enumerate(posts)
    ]
    screen_all()
    for id_, (_, verdict) in zip(ids, posts, strict=True):
        if verdict:
            assert moderator.decide(id_, verdict).status_code == 201
    return ids


def sample_all(moderator: Caller) -> None:
    assert moderator.call("PATCH", "/policy", json={"sample": {"share": 1}}).status_code == 200


def test_each_figure_has_its_own_answers(client: Client, moderator: Caller) -> None:
    sample_all(moderator)
    verdicts = {
        "live": ["approve", "approve", "reject", ""],
        "held": ["approve", "reject", ""],
        "rejected": ["reject", "approve"],
    }
    decided(moderator, client, verdicts)
    found = shown(moderator)
    total = found["total"]
    assert total["comments"] == {"live": 4, "held": 3, "rejected": 2}
    counts = {
        name: (total[name]["wrong"], total[name]["of"]) for name in total if "wrongly" in name
    }
    assert counts == {
        "wrongly_passed": (1, 3),
        "wrongly_held": (1, 2),
        "wrongly_rejected": (1, 2),
    }
    assert (total["reviews"], total["waiting"], total["samples"]) == (2, 1, 5)
    assert total["decided_by_machine"] == pytest.approx(6 / 9, abs=1e-5)
    assert found["open_samples"] == 1


def test_below_the_minimum_no_share_is_shown(client: Client, moderator: Caller) -> None:
    sample_all(moderator)
    decided(moderator, client, {"live": ["approve", "reject"]})
    rate = shown(moderator)["total"]["wrongly_passed"]
    assert rate == {"wrong": 1, "of": 2, "enough": False, "share": None, "low": None, "high": None}


def test_a_decision_outside_the_sample_says_nothing_about_live_comments(
    client: Client, moderator: Caller
) -> None:
    moderator.call("PATCH", "/policy", json={"sample": {"share": 0}})
    decided(moderator, client, {"live": ["reject", "reject"], "held": ["approve"]})
    found = shown(moderator)
    assert found["total"]["wrongly_passed"]["of"] == 0
    assert found["total"]["comments"] == {"live": 2, "held": 1, "rejected": 0}
    assert found["reversed"]["taken_down"] == 2


def test_a_teaching_pick_is_blind_and_still_not_in_the_sample(
    client: Client, moderator: Caller
) -> None:
    moderator.call("PATCH", "/policy", json={"sample": {"share": 0}})
    (comment,) = decided(moderator, client, {"live": [""]})
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        session.add(Review(site_id=site, comment_id=comment, cause="teaching", blind=True))
    moderator.decide(comment, "reject")
    assert shown(moderator)["total"]["samples"] == 0


def test_an_answer_that_was_undone_is_no_answer(client: Client, moderator: Caller) -> None:
    sample_all(moderator)
    live, held = decided(moderator, client, {"live": ["reject"], "held": ["approve"]})
    moderator.undo(live)
    moderator.undo(held)
    found = shown(moderator)
    assert found["total"]["wrongly_passed"]["of"] == found["total"]["wrongly_held"]["of"] == 0
    assert found["total"]["comments"] == {"live": 1, "held": 1, "rejected": 0}
    assert (found["reversed"]["decisions"], found["reversed"]["undone"]) == (2, 2)


def test_an_erased_comment_gives_no_answer(client: Client, moderator: Caller) -> None:
    sample_all(moderator)
    live, _ = decided(moderator, client, {"live": ["", "approve"]})
    assert moderator.call("DELETE", f"/comments/{live}").status_code == 204
    rate = shown(moderator)["total"]["wrongly_passed"]
    assert (rate["wrong"], rate["of"]) == (0, 1)


def test_a_second_opinion_that_differs_is_a_reversal(client: Client, moderator: Caller) -> None:
    (held,) = decided(moderator, client, {"held": ["reject"]})
    moderator.decide(held, "approve")
    found = shown(moderator)
    assert found["reversed"]["changed"] == 1
    assert found["total"]["wrongly_held"]["wrong"] == 1


def test_figures_are_given_by_month_language_and_check(client: Client, moderator: Caller) -> None:
    ids = decided(moderator, client, {"live": [""], "held": ["approve", "reject"]})
    with begin() as session:
        old = now() - timedelta(days=70)
        session.execute(update(Comment).where(Comment.id == ids[1]).values(at=old, language="pt"))
    found = shown(moderator)
    months = {row["name"]: row["comments"] for row in found["months"]}
    assert len(months) == 12
    assert months[f"{old:%Y-%m}"]["held"] == 1
    assert {row["name"]: row["comments"]["held"] for row in found["languages"]}["pt"] == 1
    checks = {row["name"]: row for row in found["checks"]}
    assert (checks["links"]["held"], checks["links"]["wrongly_held"]["wrong"]) == (2, 1)
    assert "hosts" not in checks  # it found new hosts, but they hold no comment
    assert shown(moderator, f"?from={old:%Y-%m}&to={old:%Y-%m}")["total"]["comments"] == {
        "live": 0,
        "held": 1,
        "rejected": 0,
    }


def test_months_with_different_shares_are_not_thrown_together(
    client: Client, moderator: Caller
) -> None:
    """A hundred answers of a month in which everything was sampled do not stand for the month
    before, of which a hundred comments were sampled by one in a hundred.
    """
    posted(client)
    first = datetime(2026, 3, 1, tzinfo=UTC)
    with begin() as session:
        site = session.scalars(select(Site)).one()
        everything = {"sample": {"share": 1}}
        session.add(
            PolicyVersion(site_id=site.id, version=2, policy=everything, by="policy", at=first)
        )
        _past(session, site.id, [first + timedelta(hours=n) for n in range(100)], is_sampled=True)
        _past(
            session, site.id, [first - timedelta(hours=n) for n in range(1, 101)], is_sampled=False
        )
    found = shown(moderator, "?from=2026-02&to=2026-03")
    february, march = found["months"]
    assert march["wrongly_passed"]["high"] < 0.04
    assert february["wrongly_passed"]["of"] == 0
    assert found["total"]["wrongly_passed"]["high"] > 0.5


def _past(session: Any, site: int, times: list[datetime], *, is_sampled: bool) -> None:
    """Insert live comments of these times. If they are sampled, a human approved them blindly."""
    thread = session.scalars(select(Thread.id)).first()
    for at in times:
        id_, decision = new_id(), new_id()
        session.execute(
            insert(Comment).values(
                id=id_, site_id=site, thread_id=thread, top_id=id_, name="Ann", body="Words",
                status="approved", at=at, screen_due=None, form={}, page={},
            )
        )  # fmt: skip
        if is_sampled:
            session.execute(
                insert(DecisionRecord).values(
                    id=decision, comment_id=id_, site_id=site, by="key:1", verdict="approve",
                    was="approved", becomes="approved", version=2, reasons=[], at=at,
                )
            )  # fmt: skip
            session.execute(
                insert(Review).values(
                    id=new_id(), site_id=site, comment_id=id_, cause="sampled", blind=True,
                    opened_at=at, closed_at=at, closed_by=decision, risk=0.1,
                )
            )  # fmt: skip


def test_a_change_shows_at_once(client: Client, moderator: Caller) -> None:
    sample_all(moderator)
    live, _ = decided(moderator, client, {"live": ["", ""]})
    assert shown(moderator)["total"]["samples"] == 0
    moderator.decide(live, "approve")
    assert shown(moderator)["total"]["samples"] == 1


def test_the_figures_of_many_comments_may_be_an_hour_old(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MANY", 2)
    sample_all(moderator)
    live, _ = decided(moderator, client, {"live": ["", ""]})
    assert shown(moderator)["total"]["samples"] == 0
    moderator.decide(live, "approve")
    assert shown(moderator)["total"]["samples"] == 0
    monkeypatch.setattr(figures, "KEPT_FOR", timedelta())
    assert shown(moderator)["total"]["samples"] == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?from=2026-13", "must be a day like"),
        ("?from=March", "This must be a month like 2026-01."),
        ("?from=2026-05&to=2026-04", "`from` must not be after `to`."),
        ("?from=2023-05&to=2026-04", "Ask for at most 24 months."),
    ],
)
def test_wrong_months_are_refused(moderator: Caller, query: str, message: str) -> None:
    answer = moderator.call("GET", f"/quality{query}")
    assert answer.status_code == 422
    assert message in answer.text


def test_twelve_months_are_shown_by_default() -> None:
    assert span(None, None, date(2026, 3, 9)) == Span(date(2025, 4, 1), date(2026, 3, 1))
    assert [f"{each:%Y-%m}" for each in Span(date(2025, 12, 1), date(2026, 1, 1)).beginnings()] == [
        "2025-12",
        "2026-01",
        "2026-02",
    ]


@pytest.mark.parametrize(
    ("query", "accept"),
    [("?format=csv", "*/*"), ("", "text/csv"), ("", "text/csv;q=0.9, */*;q=0.1")],
)
def test_the_table_has_a_line_for_everything(
    client: Client, moderator: Caller, query: str, accept: str
) -> None:
    decided(moderator, client, {"held": ["approve"]})
    answer = client.get(
        f"/v1/sites/demo/quality{query}",
        headers={"Authorization": f"Bearer {moderator.key}", "Accept": accept},
    )
    assert answer.content_type == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["by"] for line in lines].count("month") == 12
    (total,) = [line for line in lines if line["by"] == "total"]
    assert (total["held"], total["wrongly_held of"], total["wrongly_held share"]) == ("1", "1", "")
    assert {line["name"] for line in lines if line["by"] == "check"} >= {"links"}


def test_everyone_reads_the_figures_only_if_the_owners_publish_them(
    client: Client, moderator: Caller
) -> None:
    decided(moderator, client, {"held": ["approve"]})
    assert client.get("/v1/sites/demo/quality/public").status_code == 404
    moderator.call("PATCH", "/policy", json={"quality": {"public": True}})
    published = client.get("/v1/sites/demo/quality/public")
    assert published.json["total"] == shown(moderator)["total"]
    moderator.call("PATCH", "/policy", json={"quality": {"public": False}})
    assert client.get("/v1/sites/demo/quality/public").status_code == 404
    assert client.get("/v1/sites/nowhere/quality/public").status_code == 404


def total(**changes: object) -> Row:
    """Return the total of the site in the issue, with some figures changed."""
    enough: dict[str, object] = {"enough": True, "share": None}
    row: dict[str, object] = {
        "comments": {"live": 6000, "held": 420, "rejected": 0},
        "reviews": 412,
        "good_held": {**enough, "low": 0.00262, "high": 0.0055},
        "good_rejected": {**enough, "low": 0.0, "high": 0.01691},
        "wrongly_rejected": {**enough, "of": 31, "wrong": 0, "low": 0.0, "high": 0.11},
        "wrongly_passed": {**enough, "of": 300, "wrong": 0, "low": 0.0, "high": 0.00869},
    }
    merged: Any = row | changes
    return merged  # type: ignore[no-any-return]


NONE_YET = {"enough": False, "share": None, "low": None, "high": None, "wrong": 0, "of": 1}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            total(),
            (
                "Of 1,000 good comments we held between 2 and 6 (412 reviews); of 1,000 published, "
                "between 0 and 9 should not have been (300 blind samples)."
            ),
        ),
        (
            total(comments={"live": 6000, "held": 420, "rejected": 90}),
            (
                "Of 1,000 good comments we held between 2 and 6 (412 reviews) and rejected between 0 "
                "and 17 (31 blind samples); of 1,000 published, between 0 and 9 should not have been "
                "(300 blind samples)."
            ),
        ),
        (
            total(
                comments={"live": 6000, "held": 420, "rejected": 90},
                good_rejected=NONE_YET,
                wrongly_rejected=NONE_YET,
            ),
            (
                "Of 1,000 good comments we held between 2 and 6 (412 reviews); we rejected 90 "
                "comments, too few of them checked to say how many were good (1 blind sample); of "
                "1,000 published, between 0 and 9 should not have been (300 blind samples)."
            ),
        ),
        (
            total(good_held=NONE_YET, good_rejected=NONE_YET, wrongly_passed=NONE_YET),
            (
                "Not enough reviews yet to say how many good comments we hold (this needs 30 reviews "
                "and 30 blind samples); too few blind samples yet to say how many should not have "
                "been published (1 blind sample)."
            ),
        ),
    ],
)
def test_the_sentence_can_be_printed(row: Row, said: str) -> None:
    assert sentence(row) == said


def test_the_console_shows_the_sentence_and_the_tables(client: Client, moderator: Caller) -> None:
    decided(moderator, client, {"held": ["approve"], "live": ["approve"]})
    password = accounts.add_moderator("ann@example.org", "demo", "viewer", "correct horse")
    client.post("/console/sign-in", data={"email": "ann@example.org", "password": password})
    page = client.get("/console/quality").text
    assert "Not enough reviews yet" in page
    assert "Links" in page
    assert "1 of 30" in page
    assert client.get("/console/quality.csv?site=demo").text.startswith("by,name,live,")
    assert client.get("/console/quality?site=other").status_code == 404


def test_the_open_answers_of_the_sample_stay_secret(client: Client, moderator: Caller) -> None:
    """The counts by group would say which open comment is held, but only on a site with a single
    comment, and `read` keys see its status in the events, too.
    """
    sample_all(moderator)
    posted(client)
    screen_all()
    with reading() as session:
        assert session.scalars(select(Review.blind)).one()
    assert shown(moderator)["open_samples"] == 1
