"""Short names for what tests do often: posting a comment, and calling with a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask
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


class Answer(TestResponse):
    """An answer. `json` is `Any`, because a test that reads a field of it knows that it exists."""

    json: Any


class Client(FlaskClient):
    """Flask's own client, typed so that its answers are `Answer`s."""

    if TYPE_CHECKING:

        def open(self, *args: Any, **options: Any) -> Answer: ...

        def get(self, *args: Any, **options: Any) -> Answer: ...

        def head(self, *args: Any, **options: Any) -> Answer: ...

        def post(self, *args: Any, **options: Any) -> Answer: ...

        def put(self, *args: Any, **options: Any) -> Answer: ...

        def patch(self, *args: Any, **options: Any) -> Answer: ...

        def delete(self, *args: Any, **options: Any) -> Answer: ...

        def options(self, *args: Any, **options: Any) -> Answer: ...


def client_of(app: Flask, **options: Any) -> Client:
    """Return a client that calls this application."""
    return Client(app, app.response_class, use_cookies=True, **options)


def post(client: Client, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    """Post a comment that is fine except for the given fields. A field given as None is left
    out.
    """
    body = {name: value for name, value in {**COMMENT, **fields}.items() if value is not None}
    return client.post("/v1/sites/demo/comments", json=body, headers=headers)


def posted(client: Client, **fields: Any) -> str:
    """Return the id of a comment that was accepted."""
    answer = post(client, **fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json["id"])


def publish_all() -> None:
    """Publish everything that is due, as the worker would."""
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
    client: Client
    key: str

    def call(self, method: str, path: str, **body: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.client.open(f"/v1/sites/demo{path}", method=method, headers=headers, **body)

    def decide(self, comment: str, verdict: str, **more: Any) -> Answer:
        return self.call(
            "POST", f"/comments/{comment}/decisions", json={"verdict": verdict, **more}
        )

    def undo(self, comment: str, **body: Any) -> Answer:
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
        return list(answer.json["events"])

    def page(self, thread: str = "/harbour", **query: Any) -> Any:
        return self.client.get(
            "/v1/sites/demo/comments", query_string={"thread": thread, **query}
        ).json
