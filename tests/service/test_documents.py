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
                assert str(answer.status_code) in documented, f"{what}: {answer.status_code} {answer.text}"
