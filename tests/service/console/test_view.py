"""A list's address: read, and written again with a change."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from models.store.database import reading
from service.comments.receipts import receipt_of
from service.console.sessions import SignedIn
from service.console.view import Asked, day_of
from service.http.problems import Problem

ID = "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"
ANN = SignedIn(
    moderator_id="0195511c-0b7e-7a55-8f0d-0d8a4f1c9e10",
    email="ann@paper.example",
    sites={"demo": "owner"},
    csrf="",
    must_change_password=False,
    session_hash="",
)


def asked(app: Flask, query: str) -> Asked:
    with app.test_request_context(f"/console/?{query}"), reading() as session:
        return Asked(session, ANN)


@pytest.mark.parametrize(
    ("query", "tab", "order"),
    [
        ("", "review", "oldest"),
        ("tab=approved", "approved", "newest"),
        ("tab=approved&order=oldest", "approved", "oldest"),
        ("tab=approved&order=risk", "approved", "newest"),  # only the review list has a risk
        ("order=risk", "review", "risk"),
        ("order=sideways", "review", "oldest"),
        ("q=ferry", "all", "newest"),
        ("q=ferry&tab=review", "review", "oldest"),
    ],
)
def test_a_tab_has_its_usual_order(
    data: object, app: Flask, query: str, tab: str, order: str
) -> None:
    found = asked(app, query)
    assert (found.tab, found.order) == (tab, order)


def test_an_unknown_tab_is_not_found(data: object, app: Flask) -> None:
    with pytest.raises(Problem) as refused:
        asked(app, "tab=everything")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("query", "changes", "href"),
    [
        ("", {}, "/console/"),
        ("tab=review&order=oldest", {}, "/console/"),
        ("check=links&order=risk", {}, "/console/?order=risk&check=links"),
        ("check=links&order=risk", {"check": None}, "/console/?order=risk"),
        ("q=ferry", {}, "/console/?q=ferry"),
        ("q=ferry&tab=review", {}, "/console/?tab=review&q=ferry"),
        ("check=links", {"item": ID}, f"/console/?check=links&item={ID}"),
        (f"item={ID}", {}, "/console/"),
        ("check=a%00b", {}, "/console/"),
    ],
)
def test_the_address_says_no_more_than_it_must(
    data: object, app: Flask, query: str, changes: dict[str, str | None], href: str
) -> None:
    assert asked(app, query).href(**changes) == href


def test_another_tab_keeps_the_filters_but_not_the_order(data: object, app: Flask) -> None:
    found = asked(app, "check=links&order=risk&q=ferry&tab=review")
    assert found.to_tab("approved") == "/console/?tab=approved&check=links"
    assert found.to_tab("all") == "/console/?check=links&q=ferry"


@pytest.mark.parametrize(
    "search",
    [
        ID,
        f"/sites/demo/c/{ID}",
        f"https://paper.example/harbour#greenroom-{ID}.2",
        f"https://comments.example/console/c/{ID}",
    ],
)
def test_a_search_for_an_address_names_its_comment(data: object, app: Flask, search: str) -> None:
    context = app.test_request_context("/console/", query_string={"q": search})
    with context, reading() as session:
        assert Asked(session, ANN).named == ID


def test_a_receipt_names_its_comment_only_with_its_own_signature(
    client: object, app: Flask
) -> None:
    right, wrong = receipt_of(ID), f"{ID}.{'A' * 22}"
    assert asked(app, f"q=/v1/receipts/{right}").named == ID
    assert asked(app, f"q=/v1/receipts/{wrong}").named is None


@pytest.mark.parametrize("query", ["q=ferry", "q=12", f"q={ID}x", f"q=a {ID}", ""])
def test_other_words_name_no_comment(data: object, app: Flask, query: str) -> None:
    assert asked(app, query).named is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("1999-12-31", None),
        ("2101-01-01", None),
        ("2026-02-30", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_days_of_this_century(text: str | None, day: date | None) -> None:
    assert day_of(text) == day
