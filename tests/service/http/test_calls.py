"""One declaration parses, answers and describes a call."""

from __future__ import annotations

from typing import Annotated

import pytest
from flask import Flask, Response
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from service.http.calls import Call, Noun
from service.http.problems import Problem
from service.http.requests import MERGE_PATCH, Limit100, Query
from service.http.responses import json_response
from tests.caller import Client, client_of

api = Noun("things", "Things", "What this test calls.")


class Wish(Query):
    limit: Limit100 = 50
    tags: Annotated[list[str], Field()] = []  # noqa: RUF012 — pydantic copies it


class Thing(BaseModel):
    name: str = "nameless"


class Told(TypedDict):
    name: str
    limit: int
    tags: list[str]


@api.call("POST", "/v1/<place>/things", summary="Make a thing", says="The thing.", status=201)
def make_thing(place: str, query: Wish, body: Thing) -> Told:
    """Make a thing at a place."""
    return {"name": f"{body.name} of {place}", "limit": query.limit, "tags": query.tags}


@api.call(
    "POST",
    "/v1/<place>/things/<thing_id>/rename",
    summary="Rename a thing",
    says="The thing.",
    answers={404: "No thing has this id."},
    body_types=(MERGE_PATCH, "application/json"),
    body_may_be_missing=True,
)
def rename_thing(place: str, thing_id: str, body: Thing) -> Thing:
    """Rename a thing."""
    return body


@api.call("DELETE", "/v1/<place>/things/<thing_id>", summary="Forget", says="Gone.", status=204)
def forget_thing(place: str, thing_id: str) -> None:
    """Forget a thing."""


@api.call("GET", "/v1/<place>/things", summary="Name", says="The thing.", answer=Thing)
def name_thing(place: str) -> Response:
    """Answer in one's own words."""
    return json_response({"name": place}, headers={"X-Place": place})


@api.call("GET", "/v1/sites/<site>/secrets", scope="admin", summary="Look", says="A secret.")
def read_secret() -> Thing:
    """Cannot be called without a key."""
    return Thing()


@pytest.fixture
def things() -> Client:
    app = Flask(__name__)
    app.register_blueprint(api)
    app.register_error_handler(Problem, lambda problem: problem.response())
    return client_of(app)


def declared(name: str) -> Call:
    return next(call for call in api.calls if call.operation == name)


def test_the_function_gets_the_path_the_query_and_the_body(things: Client) -> None:
    answer = things.post("/v1/here/things?limit=7&tags=a&tags=b", json={"name": "Boat"})
    assert answer.status_code == 201
    assert answer.json == {"name": "Boat of here", "limit": 7, "tags": ["a", "b"]}


def test_a_model_a_response_and_none_are_returned_unchanged(things: Client) -> None:
    assert things.post("/v1/here/things/1/rename", json={"name": "Ship"}).json == {"name": "Ship"}
    assert things.get("/v1/here/things").headers["X-Place"] == "here"
    gone = things.delete("/v1/here/things/1")
    assert (gone.status_code, gone.data) == (204, b"")


def test_errors_are_found_before_the_function_is_called(things: Client) -> None:
    answer = things.post("/v1/here/things?limit=0", json={})
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"field": "limit", "message": "This must be a number from 1 to 100."}
    ]
    wrong = things.post("/v1/here/things", json={"name": 1})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "name")
    assert things.post("/v1/here/things", data="{").status_code == 415
    assert things.post("/v1/here/things").status_code == 400


def test_a_body_comes_in_the_types_that_are_declared_or_not_at_all(things: Client) -> None:
    path = "/v1/here/things/1/rename"
    for content_type in (MERGE_PATCH, "application/json"):
        answer = things.post(path, data='{"name": "Raft"}', content_type=content_type)
        assert answer.json == {"name": "Raft"}
    assert things.post(path).json == {"name": "nameless"}
    assert things.post(path, data="{}", content_type="text/plain").status_code == 415


def test_a_call_with_a_scope_needs_a_key(things: Client) -> None:
    answer = things.get("/v1/sites/demo/secrets")
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_the_declaration_lists_every_answer() -> None:
    call = declared("make_thing")
    assert (call.path, call.path_names) == ("/v1/{place}/things", ["place"])
    assert (call.query, call.body, call.answer) == (Wish, Thing, Told)
    assert call.description == "Make a thing at a place."
    assert set(call.answers) == {201, 400, 404, 413, 415, 422, 503}
    assert set(declared("read_secret").answers) == {200, 401, 403, 404, 503}
    assert declared("rename_thing").answers[404] == "No thing has this id."
    assert declared("rename_thing").path == "/v1/{place}/things/{id}/rename"
    assert declared("forget_thing").answer is None
    assert declared("name_thing").answer is Thing
