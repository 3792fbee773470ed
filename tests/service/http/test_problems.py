"""Errors name each wrong field in our words, whatever pydantic calls it."""

from __future__ import annotations

from typing import Literal

import orjson
import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.http.problems import CHECK_FIELDS, Problem, shaped, wrong_field, wrong_fields


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    most: int = Field(1, ge=0, le=10)


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field("Ann", min_length=1, max_length=5)
    kind: Literal["a", "b"] = "a"
    on: bool = True
    share: float = Field(0.5, gt=0, lt=1)
    words: list[str] = Field([], max_length=2)
    by_name: dict[str, int] = {}
    part: Part = Part()

    @field_validator("name")
    @classmethod
    def _not_bob(cls, value: str) -> str:
        if value == "Bob":
            raise ValueError("Not Bob, please.")
        return value


class Needed(BaseModel):
    body: str


def refused(content: bytes, shape: type[BaseModel] = Shape) -> Problem:
    with pytest.raises(Problem) as problem:
        shaped(shape, content)
    return problem.value


@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        (b'{"name": 7}', "name", "This must be text."),
        (b'{"name": null}', "name", "This must be text."),
        (b'{"name": ""}', "name", "This field is required."),
        (b'{"name": "too long"}', "name", "This is too long: at most 5 characters."),
        (b'{"name": "Bob"}', "name", "Not Bob, please."),
        (b'{"kind": "c"}', "kind", "This must be 'a' or 'b'."),
        (b'{"on": "yes"}', "on", "This must be true or false."),
        (b'{"on": 1}', "on", "This must be true or false."),
        (b'{"share": "0.5"}', "share", "This must be a number."),
        (b'{"share": 0}', "share", "This must be more than 0.0."),
        (b'{"share": 1}', "share", "This must be less than 1.0."),
        (b'{"words": "a"}', "words", "This must be a list."),
        (b'{"words": ["a", "b", "c"]}', "words", "This list is too long: at most 2 entries."),
        (b'{"words": ["a", 7]}', "words.1", "This must be text."),
        (b'{"by_name": []}', "by_name", "This must be an object."),
        (b'{"by_name": {"x": 1.5}}', "by_name.x", "This must be a whole number."),
        (b'{"part": []}', "part", "This must be an object."),
        (b'{"part": {"most": -1}}', "part.most", "This must be at least 0."),
        (b'{"part": {"most": 11}}', "part.most", "This must be at most 10."),
        (b'{"part": {"least": 1}}', "part.least", "There is no field with this name."),
    ],
)
def test_an_error_names_the_wrong_field_and_what_it_must_be(
    content: bytes, field: str, message: str
) -> None:
    problem = refused(content)
    assert (problem.status, problem.detail) == (422, CHECK_FIELDS)
    assert problem.errors == [{"field": field, "message": message}]


def test_a_missing_field_is_required() -> None:
    problem = refused(b"{}", Needed)
    assert problem.errors == [{"field": "body", "message": "This field is required."}]


def test_every_wrong_field_is_named_at_once() -> None:
    problem = refused(b'{"name": 7, "on": 7, "part": {"most": 11}}')
    assert [error["field"] for error in problem.errors] == ["name", "on", "part.most"]


@pytest.mark.parametrize("content", [b"[]", b"7", b'"text"', b"null", b"true"])
def test_a_body_that_is_no_object_is_explained(content: bytes) -> None:
    problem = refused(content)
    assert (problem.status, problem.detail) == (422, "The body must be a JSON object.")
    assert problem.errors == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{'name': 'Ann'}",
        b'{"name": "Ann",}',
        b'{"share": NaN}',
        b'{"share": Infinity}',
        b'{"name": "\xff"}',
        b'{"name": "Ann"} x',
    ],
)
def test_a_body_that_is_no_json_is_a_400(content: bytes) -> None:
    problem = refused(content)
    assert (problem.status, problem.detail) == (400, "The body is not valid JSON in UTF-8.")


def test_a_good_body_comes_in_its_shape() -> None:
    found = shaped(Shape, b'{"name": "Eve", "part": {"most": 10}}')
    assert (found.name, found.part.most, found.kind) == ("Eve", 10, "a")


def test_the_answer_is_problem_json() -> None:
    problem = Problem(429, "Too fast.", headers={"Retry-After": "5"}, existing="abc")
    answer = problem.response()
    assert answer.content_type == "application/problem+json"
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert orjson.loads(answer.data) == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too fast.",
        "existing": "abc",
    }


def test_errors_are_listed_only_if_there_are_any() -> None:
    body = orjson.loads(wrong_field("page", "No such page.").response().data)
    assert body["errors"] == [{"field": "page", "message": "No such page."}]
    assert body["detail"] == "No such page."


def test_an_error_of_one_field_may_have_another_detail() -> None:
    assert wrong_field("page", "No such page.", detail="Look again.").detail == "Look again."


def test_several_fields_keep_their_order() -> None:
    problem = wrong_fields({"b": "One.", "a": "Two."})
    assert (problem.status, problem.detail) == (422, CHECK_FIELDS)
    assert [error["field"] for error in problem.errors] == ["b", "a"]
