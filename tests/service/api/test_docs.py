"""`/docs` shows what `/openapi.json` describes."""

from __future__ import annotations

from tests.answers import calls_of
from tests.caller import Client


def test_the_page_shows_every_call(client: Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    for call in calls_of(client.application).values():
        assert call.path in page.text
    assert "Receive comment.approved" in page.text


def test_the_page_shows_examples_of_bodies_and_answers(client: Client) -> None:
    page = client.get("/docs").text
    assert "The ferry was late *again*." in page
    assert "Body: application/x-www-form-urlencoded" in page
    assert "Body: application/merge-patch+json" in page
