"""A process is ready while it can serve readers, and ready for writing while it can accept
comments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cachetools import TTLCache
from sqlalchemy.exc import OperationalError

from models import caches
from service.operations import health
from service.sites import lookup
from tests.caller import Client


@pytest.fixture
def database_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> object:
        raise OperationalError("SELECT", None, Exception("connection refused"))

    for module in (lookup, health):
        monkeypatch.setattr(module, "reading", away)


def ready(client: Client, wish: str = "") -> tuple[int, Any]:
    answer = client.get(f"/health/ready{wish}")
    return answer.status_code, answer.json


def test_a_process_that_has_all_it_needs_is_ready_for_reading_and_writing(
    client: Client,
) -> None:
    assert ready(client) == (
        200,
        {"status": "ok", "failing": [], "parts": {"storage": "ok", "sites": "ok"}},
    )
    assert ready(client, "?for=reading")[0] == 200
    assert ready(client, "?for=writing")[0] == 200


def test_a_process_that_knows_its_sites_stays_ready_without_the_database_but_not_for_writing(
    client: Client, request: pytest.FixtureRequest
) -> None:
    assert ready(client)[0] == 200
    request.getfixturevalue("database_away")
    assert ready(client)[0] == 200
    assert (
        client.get("/v1/sites/demo/comments?thread=/harbour").status_code == 200
    )  # nobody had requested it before
    status, body = ready(client, "?for=writing")
    assert (status, body["failing"]) == (503, ["database"])


@pytest.mark.usefixtures("database_away")
def test_a_process_that_never_saw_the_database_is_not_ready(client: Client) -> None:
    caches.forget()
    status, body = ready(client)
    assert (status, body["failing"]) == (503, ["sites"])


def test_a_process_is_not_ready_while_storage_fails(client: Client, data: Path) -> None:
    (data / "published").touch()
    status, body = ready(client)
    assert (status, body["failing"]) == (503, ["storage"])


def test_an_unknown_choice_is_a_422_that_lists_the_valid_ones(client: Client) -> None:
    status, body = ready(client, "?for=everything")
    assert (status, body["errors"][0]["field"]) == (422, "for")


def test_requests_for_unknown_sites_do_not_evict_existing_ones(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_unknown", TTLCache(5, lookup.FRESH_SECONDS))
    assert lookup.find_site("demo")
    for number in range(20):
        assert lookup.find_site(f"nobody{number}") is None
    assert lookup.remembered_site("demo")
