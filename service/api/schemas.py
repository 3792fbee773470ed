"""The schemas of the document, for every body, query and answer that a call declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from models.webhooks.owed import EVENTS, TEST
from service.api.examples_of import example_of
from service.http.api_types import FieldError, Status
from service.http.calls import Call
from service.moderation.comment_records import Decision
from service.webhooks.shapes import CommentEvent

Json: TypeAlias = dict[str, Any]
Mode: TypeAlias = Literal["validation", "serialization"]

REF = "#/components/schemas/{model}"
AS_THEY_ARE = ("examples", "example", "default", "enum", "const")  # values, not schemas
HAPPENED = {
    "comment.approved": "A comment was approved, and the published page shows it.",
    "comment.flagged": "A comment was held for a moderator.",
    "comment.rejected": "A comment was rejected.",
    "comment.edited": "A comment's text changed.",
    "comment.deleted": "A comment was erased.",
    "comment.reported": "A reader reported a comment.",
    "appeal.opened": "The author appealed against the rejection of a comment.",
    "appeal.closed": "A moderator decided an appeal, or its comment was erased.",
    "notice.opened": "Someone sent a notice of illegal content.",
    "notice.closed": "A notice of illegal content was decided.",
    TEST: "Someone sent a test event. Its comment does not exist.",
}


class Problem(TypedDict):
    """What went wrong and what to do next (RFC 9457). A conflict about a comment also has its
    `current` status, its `version` and the newer `decision`. `oldest` is the oldest cursor that the
    event log still has.
    """

    type: Annotated[str, Field(examples=["about:blank"])]
    title: str
    status: int
    detail: str
    errors: NotRequired[list[FieldError]]
    version: NotRequired[int]
    current: NotRequired[Status]
    decision: NotRequired[Decision]
    oldest: NotRequired[Annotated[str, Field(examples=["17.0"])]]


class Schemas:
    """`of` has the schema of each shape, `queries` those of the query models, and `components` all
    that have a name.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        wanted = [(shape, mode, adapter) for (shape, mode), adapter in _wanted(calls).items()]
        found, defined = TypeAdapter.json_schemas(wanted, ref_template=REF)
        queries = {call.query.__name__ for call in calls if call.query}
        self.of = {shape: _tidied(schema) for (shape, _), schema in found.items()}
        named = {_name(name): _tidied(schema) for name, schema in defined["$defs"].items()}
        self.queries = {name: named.pop(name) for name in queries}
        self._named = named | {event_name(kind): _event(kind) for kind in (*EVENTS, TEST)}
        self.components = {name: _in_words(self._named[name]) for name in sorted(self._named)}

    def example(self, shape: Any, *, is_sent: bool) -> Any:
        return self.example_of(self.of[shape], is_sent=is_sent)

    def example_of(self, schema: Mapping[str, Any], *, is_sent: bool) -> Any:
        return example_of(schema, self._named, is_sent=is_sent)


def _wanted(calls: Sequence[Call]) -> dict[tuple[Any, Mode], TypeAdapter[Any]]:
    wanted: dict[tuple[Any, Mode], TypeAdapter[Any]] = {}
    for shape in (Problem, CommentEvent):
        wanted[shape, "serialization"] = TypeAdapter(shape)
    for call in calls:
        for sent in (call.query, call.body, call.form):
            if sent:
                wanted[sent, "validation"] = TypeAdapter(sent)
        if call.answer:
            wanted[call.answer, "serialization"] = TypeAdapter(call.answer)
    return wanted


def event_name(kind: str) -> str:
    return "".join(map(str.capitalize, kind.split("."))) + "Event"


def _event(kind: str) -> Json:
    timestamp = {"type": "string", "format": "date-time", "examples": ["2026-03-01T09:30:00Z"]}
    return {
        "type": "object",
        "description": HAPPENED[kind],
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": kind},
            "timestamp": timestamp,
            "data": {"$ref": REF.format(model="EventData")},
        },
    }


def _tidied(schema: Any) -> Any:
    """Remove titles, which only repeat the names, and make each name one word."""
    if isinstance(schema, list):
        return [_tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept: Json = {}
    for name, value in schema.items():
        if name == "title" and isinstance(value, str):
            continue
        if name == "$ref":
            kept[name] = REF.format(model=_name(value.rpartition("/")[2]))
        elif name == "properties":
            kept[name] = {each: _tidied(of_it) for each, of_it in value.items()}
        elif name in AS_THEY_ARE:
            kept[name] = value
        else:
            kept[name] = _tidied(value)
    return kept


def _name(name: str) -> str:
    """Pydantic marks a shape whose input and output differ."""
    return name.replace("-Input", "Input").removesuffix("-Output")


def _in_words(schema: Json) -> Json:
    """Add each field's default to its description. As a keyword, generators for TypeScript take it
    for "always present", and those for Python send it with every request.
    """
    if "properties" not in schema:
        return schema
    fields = {name: _default_in_words(field) for name, field in schema["properties"].items()}
    return {**schema, "properties": fields}


def _default_in_words(field: Json) -> Json:
    kept = {name: value for name, value in field.items() if name != "default"}
    default = field.get("default")
    if default is None or isinstance(default, dict):
        return kept
    told = f"Default: {json.dumps(default)}."
    return {**kept, "description": f"{field.get('description', '')} {told}".strip()}
