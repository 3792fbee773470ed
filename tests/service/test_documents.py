"""`/openapi.json` says of each call what it answers, to good and to bad input."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from models.identifiers import new_id
from service import accounts
from service.api.documents import CALLS, Call

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
                assert answer.mimetype in documented[status].get("content", {"": {}, "text/html": {}}), what
                assert set(documented[status].get("headers", ())) <= set(answer.headers.keys()), what


@pytest.mark.parametrize("path", [f"{call.method} {call.path}" for call in CALLS if call.body and not call.needs_body])
def test_a_body_that_is_said_to_be_optional_may_be_left_out(client: FlaskClient, path: str) -> None:
    method, path = re.sub(r"{(\w+)}", lambda name: "demo" if name[1] == "site" else new_id(), path).split()
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    assert client.open(path, method=method, headers=key).status_code in {404, 409}


def test_a_limit_that_is_named_is_the_one_that_holds(client: FlaskClient) -> None:
    key = {"Authorization": f"Bearer {accounts.create_key('demo', 'admin')}"}
    for call in CALLS:
        if "limit" in call.arguments and "{id}" not in call.path:
            most = call.arguments["limit"].schema["maximum"]
            path = call.path.format(site="demo", tab="review")
            answers = [client.get(f"{path}?limit={limit}", headers=key).status_code for limit in (1, most, most + 1)]
            assert answers == [200, 200, 422], call.path
