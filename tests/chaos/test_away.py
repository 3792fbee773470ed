"""What is away is said to be away, and does its work once it is back."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from models.database import begin as really_begin
from tests.caller import Caller, posted, publish_all
from worker import screening


def test_a_thread_is_answered_503_while_storage_fails_and_read_again_once_it_is_back(
    client: FlaskClient, moderator: Caller, data: Path
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


def test_a_comment_is_not_handed_to_a_human_because_the_database_was_away(
    client: FlaskClient, moderator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    comments = [posted(client), posted(client, body="The bridge was late too.")]
    tries = []

    def away(*_: object) -> object:
        tries.append(1)
        if len(tries) > 2:  # it comes back while the batch is tried
            return really_begin()
        raise OperationalError("BEGIN", None, Exception("server closed the connection"))

    monkeypatch.setattr(screening, "begin", away)
    with pytest.raises(OperationalError):
        screening.screen_now(comments)
    assert len(tries) == 1  # nobody asks a database that is away once for each comment
    assert [moderator.record(comment)["status"] for comment in comments] == ["pending", "pending"]
