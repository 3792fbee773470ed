"""An example is built from those of a schema's fields."""

from __future__ import annotations

from typing import Any

import pytest

from service.api.examples_of import example_of

NAMED: dict[str, Any] = {
    "Comment": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "examples": ["Ann"]},
            "note": {"type": "string"},
            "tag": {"type": "string", "examples": ["new"]},
            "replies": {"type": "array", "items": {"$ref": "#/components/schemas/Comment"}},
        },
    }
}


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "string", "examples": ["Ann", "Bob"]}, "Ann"),
        ({"const": "ok", "type": "string"}, "ok"),
        ({"enum": ["approve", "flag"], "type": "string"}, "approve"),
        ({"type": "integer", "default": 7, "minimum": 1}, 7),
        ({"type": "integer", "minimum": 10}, 10),
        ({"type": "boolean"}, False),
        ({"type": "string", "format": "date-time"}, "2026-03-01T09:30:00Z"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, None),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {}),
    ],
)
def test_a_value_is_the_first_that_the_schema_names(schema: Any, example: Any) -> None:
    assert example_of(schema, {}, is_sent=False) == example


def test_an_answer_has_every_field_and_ends_where_it_would_repeat() -> None:
    told = example_of({"$ref": "#/components/schemas/Comment"}, NAMED, is_sent=False)
    assert told == {"name": "Ann", "note": "text", "tag": "new", "replies": []}


def test_a_body_example_has_required_fields_and_those_with_their_own_example() -> None:
    sent = example_of({"$ref": "#/components/schemas/Comment"}, NAMED, is_sent=True)
    assert sent == {"name": "Ann", "tag": "new"}
