"""`/openapi.json` says of each call what it answers, to good and to bad input."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from models.identifiers import new_id
from service.api import answers
from service.api.documents import CALLS, Call
from service.comments.receipts import receipt_of
from service.people import accounts
from tests.caller import COMMENT, Caller, posted, publish_all, screen_all

BAD = {
    "no JSON": {"data": "{", "content_type": "application/json"},
    "another type": {"data": "a", "content_type": "text/csv"},
    "another shape": {"json": []},
    "nothing": {},
}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_every_answer_to_bad_input_is_documented(client: FlaskClient, call: Call) -> None:
    documented = client.get("/openapi.json").json["paths"][call.path][call.method]["responses"]  # type: ignore[index]
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    path = re.sub(r"{(\w+)}", lambda name: "demo" if name[1] == "site" else new_id(), call.path)
    for what, sent in BAD.items():
        for headers in (key, {}):
            for query in ("", "?limit=x&cursor=x&since=x&page=x"):
                answer = client.open(path + query, method=call.method, headers=headers, **sent)
                status = str(answer.status_code)
                assert status in documented, f"{what}: {status} {answer.text}"
                assert answer.mimetype in documented[status].get(
                    "content", {"": {}, "text/html": {}}
                ), what
                assert set(documented[status].get("headers", ())) <= set(answer.headers.keys()), (
                    what
                )


@pytest.mark.parametrize(
    "path", [f"{call.method} {call.path}" for call in CALLS if call.body and not call.needs_body]
)
def test_a_body_that_is_said_to_be_optional_may_be_left_out(client: FlaskClient, path: str) -> None:
    method, path = re.sub(
        r"{(\w+)}", lambda name: "demo" if name[1] == "site" else new_id(), path
    ).split()
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    assert client.open(path, method=method, headers=key).status_code in {404, 409}


def test_a_limit_that_is_named_is_the_one_that_holds(client: FlaskClient) -> None:
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    for call in CALLS:
        if "limit" in call.arguments and "{id}" not in call.path:
            most = call.arguments["limit"].schema["maximum"]
            path = call.path.format(site="demo", tab="review")
            answers = [
                client.get(f"{path}?limit={limit}", headers=key).status_code
                for limit in (1, most, most + 1)
            ]
            assert answers == [200, 200, 422], call.path


@pytest.fixture
def alive(client: FlaskClient, moderator: Caller) -> dict[str, str]:
    """A thread with an answer, a record with decisions, and a webhook that was sent something:
    their ids.
    """
    first = posted(client, website="https://ann.example")
    screen_all()
    moderator.decide(first, "approve", reason="other", note="A regular.")
    posted(client, parent=first, name="Bob", email="bob@example.org", body="It was.")
    held = posted(
        client, body="https://a.example https://b.example https://c.example", email="c@example.org"
    )
    screen_all()
    publish_all()
    webhook = moderator.call(
        "POST", "/webhooks", json={"url": "https://a.example/hook", "events": ["comment.flagged"]}
    )
    assert webhook.json
    moderator.call("POST", f"/webhooks/{webhook.json['id']}/test")
    return {
        "comment": held,
        "webhook": webhook.json["id"],
        "receipt": receipt_of(held),
        "site": "demo",
    }


LISTING = {
    answers.Page,
    answers.Queue,
    answers.Record,
    answers.Events,
    answers.Webhooks,
    answers.Deliveries,
}
SENT: dict[str, dict[str, Any]] = {
    "post /v1/sites/{site}/comments": {"json": COMMENT | {"body": "Another."}},
    "post /v1/sites/{site}/comments/{id}/decisions": {"json": {"verdict": "approve"}},
    "post /v1/sites/{site}/webhooks": {
        "json": {"url": "https://b.example/hook", "events": ["comment.approved"]}
    },
    "patch /v1/sites/{site}/webhooks/{id}": {"json": {"rate": 2}},
    "get /v1/sites/{site}/comments": {"query_string": {"thread": COMMENT["thread"]}},
    "get /v1/sites/{site}/events/digest": {"query_string": {"thread": COMMENT["thread"]}},
}


def test_every_answer_has_the_shape_that_is_described_and_nothing_else(
    client: FlaskClient, moderator: Caller, alive: dict[str, str]
) -> None:
    key = {"Authorization": f"Bearer {moderator.key}"}
    for call, shape in answers.OF.items():
        method, path = call.split()
        named = alive | {"id": alive["webhook" if "/webhooks/" in path else "comment"]}
        answer = client.open(path.format(**named), method=method, headers=key, **SENT.get(call, {}))
        told = shape.model_validate_json(answer.data, strict=True, extra="forbid")
        assert answer.status_code < 300 or path == "/health/system", f"{call}: {answer.text}"
        if shape in LISTING:
            assert [] not in told.__dict__.values(), f"{call} shows nothing"
