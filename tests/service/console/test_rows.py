"""The rows of a list: campaigns together, and a page that contains the open comment."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from models.records import Comment, Review, Site
from models.store.database import begin, now, reading
from service.console import rows as module
from service.console.rows import Row, list_rows
from service.console.sessions import SignedIn
from service.console.view import Asked
from tests.caller import Client, posted, screen_all
from tests.service.signed_in import LINKS

ANN = SignedIn(
    moderator_id="0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10",
    email="ann@paper.example",
    sites={"demo": "owner"},
    csrf="",
    must_change_password=False,
    session_hash="",
)


@pytest.fixture
def held(client: Client) -> list[str]:
    """Six comments that wait, oldest first."""
    ids = [
        posted(client, email=f"r{n}@example.org", name=f"Reader {n}", body=f"{'xyzuvw'[n]} {LINKS}")
        for n in range(6)
    ]
    screen_all()
    with begin() as session:  # whatever the check of repeats made of them
        for id_ in ids:
            session.get_one(Comment, id_).campaign = None
    return ids


def page(app: Flask, query: str = "") -> tuple[list[Row], str | None]:
    with app.test_request_context(f"/console/?{query}"), reading() as session:
        return list_rows(session, Asked(session, ANN))


def ids_of(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


def in_one_campaign(first: str, *others: str) -> None:
    with begin() as session:
        for id_ in others:
            session.get_one(Comment, id_).campaign = first


def test_a_row_has_what_a_list_shows(app: Flask, held: list[str]) -> None:
    rows, following = page(app)
    assert ids_of(rows) == held
    assert following is None
    row = rows[0]
    assert (row.name, row.status, row.site, row.page) == ("Reader 0", "flagged", "demo", "/harbour")
    assert row.text.startswith("x https://")
    assert row.causes == ["flagged"]
    assert "links" in row.found
    assert (row.late, row.alike, row.group) == (False, 0, None)


def test_the_risk_stands_beside_the_only_score_that_found_something(
    app: Flask, held: list[str]
) -> None:
    row = page(app)[0][0]._replace(risk=0.7)
    names = [["links", "spam"], ["abuse"], ["links"], ["abuse", "spam"]]
    assert [row._replace(found=found).scored for found in names] == ["spam", "abuse", "", ""]
    assert row._replace(found=["spam"], risk=None).scored == ""


def test_a_review_past_its_time_is_late(app: Flask, held: list[str]) -> None:
    with begin() as session:
        review = session.scalars(select(Review).where(Review.comment_id == held[1])).one()
        review.due_at = now().replace(year=now().year - 1)
    rows, _ = page(app)
    assert [row.late for row in rows] == [False, True, False, False, False, False]


def test_a_blind_sample_shows_neither_its_status_nor_its_findings(
    app: Flask, held: list[str]
) -> None:
    with begin() as session:
        site = session.scalars(select(Site.id)).one()
        session.add(Review(site_id=site, comment_id=held[0], cause="sampled", blind=True))
        session.get_one(Comment, held[0]).status = "approved"
    row = page(app)[0][0]
    assert (row.id, row.status, list(row.found), row.causes) == (
        held[0],
        "flagged",
        [],
        ["sampled"],
    )


def test_a_campaign_is_grouped_at_its_first_comment(app: Flask, held: list[str]) -> None:
    in_one_campaign(held[1], held[3], held[5])
    rows, _ = page(app)
    assert {row.id for row in rows[1:4]} == {held[1], held[3], held[5]}
    assert [rows[0].id, *ids_of(rows[4:])] == [held[0], held[2], held[4]]
    assert [row.alike for row in rows] == [0, 3, 0, 0, 0, 0]
    assert {row.group for row in rows[1:4]} == {held[1]}


def test_a_list_of_one_campaign_is_all_of_it(app: Flask, held: list[str]) -> None:
    in_one_campaign(held[0], held[2], held[4])
    rows, _ = page(app, f"campaign={held[0]}")
    assert set(ids_of(rows)) == {held[0], held[2], held[4]}


def test_a_page_continues_where_the_last_one_ended(
    app: Flask, held: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 4)
    first, following = page(app)
    assert following is not None
    rest, end = page(app, f"after={following}")
    assert ids_of(first) + ids_of(rest) == held
    assert end is None


def test_a_campaigns_later_comments_have_no_place_further_down(
    app: Flask, held: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 3)
    in_one_campaign(held[0], held[4])
    first, following = page(app)
    rest, _ = page(app, f"after={following}")
    seen = ids_of(first) + ids_of(rest)
    assert set(ids_of(first)) == {held[0], held[4], held[1], held[2]}
    assert sorted(seen) == sorted(held)


def test_a_page_is_made_longer_to_hold_the_open_comment(
    app: Flask, held: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 2)
    rows, following = page(app, f"item={held[4]}")
    assert held[4] in ids_of(rows)
    assert following is not None


def test_an_open_comment_outside_the_list_is_first(app: Flask, held: list[str]) -> None:
    with begin() as session:
        review = session.scalars(select(Review).where(Review.comment_id == held[3])).one()
        review.closed_at = now()
    rows, _ = page(app, f"item={held[3]}")
    assert ids_of(rows) == [held[3], held[0], held[1], held[2], held[4], held[5]]


def test_a_search_for_an_id_shows_that_comment_alone(app: Flask, held: list[str]) -> None:
    rows, following = page(app, f"q={held[2]}")
    assert (ids_of(rows), following) == ([held[2]], None)
