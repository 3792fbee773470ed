"""The OpenAPI 3.1 document, written from the calls that the routes declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypeAlias

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from models.webhooks.owed import EVENTS, TEST
from service.api.examples_of import example_of
from service.http.calls import Call, Noun
from service.http.requests import FORM
from service.http.shapes import FieldError
from service.webhooks.shapes import CommentEvent

Json: TypeAlias = dict[str, Any]

REF = "#/components/schemas/{model}"
WITHOUT_BODY = (204, 303, 304, 414)
TELL_WHAT_FAILS = ("/health/ready", "/health/system")  # their 503 has the shape of their 200
EVENT_TAG = "Webhook events"
HAPPENED = {
    "comment.approved": "A comment was approved. Its page shows it.",
    "comment.flagged": "A comment is held: a human should look at it.",
    "comment.rejected": "A comment was rejected.",
    "comment.edited": "A comment's text changed.",
    "comment.deleted": "A comment was erased.",
    TEST: "Someone asked for a test. The comment in it does not exist.",
}
PATH_VALUES: Mapping[str, Json] = {
    "site": {"type": "string", "examples": ["demo"], "description": "The site's key."},
    "id": {
        "type": "string",
        "format": "uuid",
        "examples": ["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"],
    },
    "receipt": {
        "type": "string",
        "examples": ["0195511c-6a20-7c3e-9d41-3f1f0a6b52c7.yzSXb2cPqTnU0Z0b0ZqB1g"],
    },
}
WEBHOOK_HEADERS = {
    "webhook-id": "The event's id. It stays the same when the event is sent again.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and a base64 HMAC-SHA256 over `id.timestamp.body`; during a "
    "rotation, one signature for each secret, with a blank between them.",
}


class Problem(TypedDict):
    """What went wrong and what to do next (RFC 9457). A conflict also says what is there now."""

    type: Annotated[str, Field(examples=["about:blank"])]
    title: str
    status: int
    detail: str
    errors: NotRequired[list[FieldError]]


class Shapes:
    """The schemas of all shapes in use, by shape and by name."""

    def __init__(self, calls: Iterable[Call]) -> None:
        wanted: dict[tuple[Any, Literal["validation", "serialization"]], TypeAdapter[Any]] = {}
        for shape in (Problem, CommentEvent):
            wanted[shape, "serialization"] = TypeAdapter(shape)
        for call in calls:
            for sent in (call.query, call.body, call.form):
                if sent:
                    wanted[sent, "validation"] = TypeAdapter(sent)
            if call.answer:
                wanted[call.answer, "serialization"] = TypeAdapter(call.answer)
        found, defined = TypeAdapter.json_schemas(
            [(shape, mode, adapter) for (shape, mode), adapter in wanted.items()],
            ref_template=REF,
        )
        queries = {call.query.__name__ for call in calls if call.query}
        self.of = {shape: _tidied(schema) for (shape, _), schema in found.items()}
        self.named: Json = {
            _name(name): _tidied(schema)
            for name, schema in defined["$defs"].items()
            if name not in queries
        }
        self.queries: Json = {name: _tidied(defined["$defs"][name]) for name in queries}
        for kind in (*EVENTS, TEST):
            self.named[_event_name(kind)] = _event_schema(kind)

    def example(self, shape: Any, *, is_sent: bool) -> Any:
        return example_of(self.of[shape], self.named, is_sent=is_sent)


def _tidied(schema: Any) -> Any:
    """Without titles, which only repeat the names, and with names that are one word."""
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
        elif name in {"properties", "$defs"}:
            kept[name] = {each: _tidied(of_it) for each, of_it in value.items()}
        elif name in {"examples", "example", "default", "enum", "const"}:
            kept[name] = value
        else:
            kept[name] = _tidied(value)
    return kept


def _name(name: str) -> str:
    """Pydantic marks a shape that is read in another way than it is written."""
    return name.replace("-Input", "Input").removesuffix("-Output")


def document(nouns: Sequence[Noun]) -> Json:
    """OpenAPI 3.1.0."""
    calls = [call for noun in nouns for call in noun.calls]
    shapes = Shapes(calls)
    paths: Json = {}
    for noun in nouns:
        for call in noun.calls:
            paths.setdefault(call.path, {})[call.method.lower()] = _operation(noun, call, shapes)
    tags = {noun.tag: noun.description for noun in nouns if noun.calls}
    tags[EVENT_TAG] = "What Greenroom sends to your webhooks, as Standard Webhooks 1.0.0 describes."
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom",
            "version": "1",
            "summary": "A comment moderation service.",
            "description": "Where comments wait before they go live. JSON everywhere, times in "
            "UTC. Errors are problem+json (RFC 9457) and say what to do next.",
            "license": {"name": "MIT", "identifier": "MIT"},
            "contact": {"name": "Whoever runs this Greenroom"},
        },
        "servers": [{"url": "/", "description": "This Greenroom."}],
        "security": [{"key": []}],
        "tags": [{"name": name, "description": what} for name, what in tags.items()],
        "paths": paths,
        "webhooks": {kind: {"post": _webhook(kind, shapes)} for kind in (*EVENTS, TEST)},
        "components": {
            "schemas": dict(sorted(shapes.named.items())),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key `gr_…` of the site, made with `greenroom key create`. "
                    "Its scope is read, moderate or admin; each includes those before it.",
                }
            },
        },
    }


def _operation(noun: Noun, call: Call, shapes: Shapes) -> Json:
    operation: Json = {
        "operationId": camel(call.operation),
        "tags": [noun.tag],
        "summary": call.summary,
        "description": call.description,
        "security": [{"key": [call.scope]}] if call.scope else [],
    }
    if parameters := list(_parameters(call, shapes)):
        operation["parameters"] = parameters
    if call.body:
        operation["requestBody"] = {
            "required": not call.body_may_be_missing,
            "content": dict(_contents(call, shapes)),
        }
    operation["responses"] = {
        str(status): _answer(call, status, meaning, shapes)
        for status, meaning in call.answers.items()
    }
    return operation


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _parameters(call: Call, shapes: Shapes) -> Iterator[Json]:
    for name in call.path_names:
        values = call.path_values.get(name)
        schema = {"type": "string", "enum": list(values)} if values else PATH_VALUES[name]
        yield _parameter(name, "path", schema, is_required=True)
    if call.query:
        schema = shapes.queries[call.query.__name__]
        for name, value in schema["properties"].items():
            is_required = name in schema.get("required", ())
            yield _parameter(name, "query", value, is_required=is_required)
    for name, header in call.headers_in.items():
        schema = {**header.schema, "description": header.what}
        yield _parameter(name, "header", schema, is_required=False)


def _parameter(name: str, place: str, schema: Json, *, is_required: bool) -> Json:
    kept = _without_null(schema)
    what = {"description": kept.pop("description")} if "description" in kept else {}
    return {"name": name, "in": place, "required": is_required, **what, "schema": kept}


def _without_null(schema: Json) -> Json:
    """A parameter is there or left out; it is never null."""
    kept = {name: value for name, value in schema.items() if name != "anyOf"}
    if kept.get("default", "") is None:
        del kept["default"]
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        kept |= options[0]
    elif options:
        kept["anyOf"] = options
    return kept


def _contents(call: Call, shapes: Shapes) -> Iterator[tuple[str, Json]]:
    for media in call.body_types:
        yield media, _content(call.body, shapes, is_sent=True)
    if call.form:
        yield FORM, _content(call.form, shapes, is_sent=True)


def _content(shape: Any, shapes: Shapes, *, is_sent: bool) -> Json:
    return {"schema": shapes.of[shape], "example": shapes.example(shape, is_sent=is_sent)}


def _answer(call: Call, status: int, meaning: str, shapes: Shapes) -> Json:
    answer: Json = {"description": meaning}
    if status in WITHOUT_BODY:
        pass
    elif status >= 400 and not (status == 503 and call.path in TELL_WHAT_FAILS):
        answer["content"] = {"application/problem+json": _problem(status, meaning)}
        if call.form:
            answer["content"]["text/html"] = {"schema": {"type": "string"}}
    else:
        answer["content"] = {call.answer_type: _content(call.answer, shapes, is_sent=False)}
    if headers := call.headers_out.get(status):
        answer["headers"] = {
            name: {"required": True, "schema": {"type": "string"}} for name in headers
        }
    return answer


def _problem(status: int, meaning: str) -> Json:
    example: Json = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": meaning,
    }
    if status == 422:
        example["errors"] = [{"field": "email", "message": "This field is required."}]
    return {"schema": {"$ref": REF.format(model="Problem")}, "example": example}


def _event_name(kind: str) -> str:
    return "".join(map(str.capitalize, kind.split("."))) + "Event"


def _event_schema(kind: str) -> Json:
    return {
        "type": "object",
        "description": HAPPENED[kind],
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": kind},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "examples": ["2026-03-01T09:30:00Z"],
            },
            "data": {"$ref": REF.format(model="EventData")},
        },
    }


def _webhook(kind: str, shapes: Shapes) -> Json:
    schema = {"$ref": REF.format(model=_event_name(kind))}
    example = example_of(schema, shapes.named, is_sent=False)
    return {
        "operationId": f"on{_event_name(kind).removesuffix('Event')}",
        "tags": [EVENT_TAG],
        "summary": f"Receive {kind}",
        "description": f"{HAPPENED[kind]} Answer 2xx soon; any other answer is tried again.",
        "security": [],
        "parameters": [
            _parameter(name, "header", {"type": "string", "description": what}, is_required=True)
            for name, what in WEBHOOK_HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {
            "204": {"description": "You have the event. Every 2xx status counts as success."},
            "410": {"description": "You want no more events. Greenroom disables the webhook."},
        },
    }


class Described(NamedTuple):
    """One operation for the page of the documentation."""

    method: str
    path: str
    operation: Json


def by_tag(written: Json) -> dict[str, list[Described]]:
    """The document's operations by their tag, in its order."""
    found: dict[str, list[Described]] = {tag["name"]: [] for tag in written["tags"]}
    for path, methods in [*written["paths"].items(), *written["webhooks"].items()]:
        for method, operation in methods.items():
            found[operation["tags"][0]].append(Described(method, path, operation))
    return found
