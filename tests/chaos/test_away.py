"""While a part is down, answers say so, and its work is done when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from models import caches
from models.store.database import begin as really_begin
from service.comments import accepting
from service.sites import lookup
from tests.caller import Caller, Client, post, posted, publish_all
from worker.screening import screening


def test_a_thread_gets_a_503_while_storage_fails_and_is_served_when_it_is_back(
    client: Client, moderator: Caller, data: Path
) -> None:
    moderator.decide(posted(client), "approve")
    publish_all()
    (data / "published").rename(data / "away")
    (data / "published").touch()
    answer = client.get("/v1/sites/demo/comments?thread=/harbour")
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert "Retry-After" in answer.headers
    (data / "published").unlink()
    (data / "away").rename(data / "published")
    assert moderator.page()["count"] == 1


@pytest.fixture
def later_without_database(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A published thread that was read before; then the database is down for longer than a site is
    cached.
    """
    moderator.decide(posted(client), "approve")
    publish_all()
    assert moderator.page()["count"] == 1

    def away(*_: object) -> object:
        raise OperationalError("SELECT", None, Exception("connection refused"))

    for module in (lookup, accepting):
        monkeypatch.setattr(module, "reading" if module is lookup else "begin", away)
    monkeypatch.setattr(lookup, "FRESH_SECONDS", 0.0)


@pytest.mark.usefixtures("later_without_database")
def test_readers_are_served_while_the_database_is_down(moderator: Caller) -> None:
    assert moderator.page()["count"] == 1


@pytest.mark.usefixtures("later_without_database")
def test_a_post_while_the_database_is_down_is_a_503_that_the_page_may_read(
    client: Client,
) -> None:
    answer = post(client, headers={"Origin": "https://paper.example"})
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://paper.example"


@pytest.mark.usefixtures("later_without_database")
def test_a_process_that_never_reached_the_database_says_that_it_is_down(client: Client) -> None:
    caches.forget()
    for answer in (client.get("/v1/sites/demo/comments?thread=/harbour"), post(client)):
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
        assert "Retry-After" in answer.headers


def test_a_comment_does_not_go_to_a_human_because_the_database_was_down(
    client: Client, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments = [posted(client), posted(client, body="The bridge was late too.")]
    tries = []

    def away(*_: object) -> object:
        tries.append(1)
        if len(tries) > 2:  # it is back while the batch is tried
            return really_begin()
        raise OperationalError("BEGIN", None, Exception("server closed the connection"))

    monkeypatch.setattr(screening, "begin", away)
    with pytest.raises(OperationalError):
        screening.screen_now(comments)
    assert len(tries) == 1  # a database that is down is not asked once for each comment
    assert [moderator.record(comment)["status"] for comment in comments] == ["pending", "pending"]
