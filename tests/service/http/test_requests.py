"""Query parameters are read without guessing, and wrong ones are explained."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import pytest
from flask import Flask
from pydantic import Field

from models.identifiers import new_id
from service.http.problems import Problem
from service.http.requests import Cursor, Day, Limit1000, Moment, Query, query_as


class Wish(Query):
    limit: Limit1000 = 100
    since: Day = None
    at: Moment = None
    cursor: Cursor = None
    wish: Annotated[str, Field(alias="for")] = "reading"


def asked(query: str) -> Wish:
    with Flask(__name__).test_request_context(f"/?{query}"):
        return query_as(Wish)


def test_parameters_have_their_types() -> None:
    id_ = new_id()
    wish = asked(f"limit=7&since=2026-01-31&at=2026-01-31T12:00:00Z&cursor={id_}&for=writing")
    assert (wish.limit, wish.since, wish.cursor) == (7, date(2026, 1, 31), id_)
    assert wish.at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert wish.wish == "writing"


def test_missing_parameters_have_their_default_and_unknown_ones_are_ignored() -> None:
    assert asked("colour=red") == Wish()


def test_an_empty_time_is_one_that_is_left_out() -> None:
    assert asked("since=&at=") == Wish()


@pytest.mark.parametrize(
    "limit", ["0", "1001", "-1", "+1", "1.0", "1e2", " 1", "1_0", "٣", "", "0000000000001"]
)
def test_a_limit_is_a_plain_number(limit: str) -> None:
    with pytest.raises(Problem) as refused:
        asked(f"limit={limit.replace('+', '%2B')}")
    assert refused.value.status == 422
    assert refused.value.errors == [
        {"field": "limit", "message": "This must be a number from 1 to 1000."}
    ]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("since=31.1.2026", "since", "This must be a day like 2026-01-31."),
        ("since=1999-12-31", "since", "The year must be between 2000 and 2100."),
        ("at=2026-01-31T12:00:00", "at", "This must be a time like 2026-01-31T12:00:00Z."),
        ("at=tomorrow", "at", "This must be a time like 2026-01-31T12:00:00Z."),
        ("cursor=7", "cursor", "This cursor is not valid. Use `next` from the previous page."),
    ],
)
def test_a_wrong_parameter_is_explained(query: str, field: str, message: str) -> None:
    with pytest.raises(Problem) as refused:
        asked(query)
    assert refused.value.errors == [{"field": field, "message": message}]
    assert refused.value.detail == f"{field}: {message}"
