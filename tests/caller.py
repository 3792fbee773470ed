"""Short words for what the tests do over and over: posting, and calling with a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.records import Comment, Thread
from models.store.database import reading
from worker.publishing.publishing import publish_threads
from worker.screening.screening import screen_now

COMMENT = {
    "thread": "/harbour",
    "name": "Ann",
    "email": "ann@example.org",
    "body": "The ferry was late again.",
}


def post(
    client: FlaskClient, *, headers: dict[str, str] | None = None, **fields: Any
) -> TestResponse:
    """Post a comment that is fine but for the fields given; one given as None is left out."""
    body = {name: value for name, value in {**COMMENT, **fields}.items() if value is not None}
    return client.post("/v1/sites/demo/comments", json=body, headers=headers)


def posted(client: FlaskClient, **fields: Any) -> str:
    """The id of a comment that was accepted."""
    answer = post(client, **fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json["id"])  # type: ignore[index]


def publish_all() -> None:
    """Publish whatever is owed, as the worker would."""
    with reading() as session:
        owed = (
            session.execute(select(Thread.id).where(Thread.publish_due.is_not(None)))
            .scalars()
            .all()
        )
    publish_threads(owed)


def screen_all() -> None:
    with reading() as session:
        owed = (
            session.execute(select(Comment.id).where(Comment.status == "pending")).scalars().all()
        )
    screen_now(owed)


@dataclass
class Caller:
    client: FlaskClient
    key: str

    def call(self, method: str, path: str, **body: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.client.open(f"/v1/sites/demo{path}", method=method, headers=headers, **body)

    def decide(self, comment: str, verdict: str, **more: Any) -> TestResponse:
        return self.call(
            "POST", f"/comments/{comment}/decisions", json={"verdict": verdict, **more}
        )

    def undo(self, comment: str, **body: Any) -> TestResponse:
        return (
            self.call("POST", f"/comments/{comment}/undo", json=body)
            if body
            else self.call("POST", f"/comments/{comment}/undo")
        )

    def record(self, comment: str) -> Any:
        answer = self.call("GET", f"/comments/{comment}")
        assert answer.status_code == 200, answer.text
        return answer.json

    def events(self) -> list[Any]:
        answer = self.call("GET", "/events?limit=1000")
        return list(answer.json["events"])  # type: ignore[index]

    def page(self, thread: str = "/harbour", **query: Any) -> Any:
        return self.client.get(
            "/v1/sites/demo/comments", query_string={"thread": thread, **query}
        ).json
