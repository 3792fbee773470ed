"""Write the OpenAPI 3.1 document from the calls that the routes declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from models.webhooks.owed import EVENTS, TEST
from service.api.schemas import HAPPENED, REF, Json, Schemas, event_name
from service.http.calls import Call, Noun
from service.http.requests import FORM

WITHOUT_BODY = (204, 303, 304, 414)
TELL_WHAT_FAILS = ("/health/ready", "/health/system")  # their 503 has the same shape as their 200
EVENT_TAG = "Webhook events"
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
    "webhook-id": "The event's id. All attempts to deliver the event have the same id.",
    "webhook-timestamp": "The time of this attempt, in seconds since 1970.",
    "webhook-signature": (
        "`v1,` and a base64 HMAC-SHA256 over `id.timestamp.body`. During a rotation, one "
        "signature per secret, separated by spaces."
    ),
}


def document(nouns: Sequence[Noun]) -> Json:
    """OpenAPI 3.1.0."""
    calls = [call for noun in nouns for call in noun.calls]
    schemas = Schemas(calls)
    paths: Json = {}
    for noun in nouns:
        for call in noun.calls:
            paths.setdefault(call.path, {})[call.method.lower()] = _operation(noun, call, schemas)
    tags = {noun.tag: noun.description for noun in nouns if noun.calls}
    tags[EVENT_TAG] = (
        "Events that Greenroom sends to your webhooks. They follow Standard Webhooks 1.0.0."
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Greenroom",
            "version": "1",
            "summary": "A comment moderation service.",
            "description": (
                "Greenroom checks comments before they go live. Requests and responses are "
                "JSON, and times are in UTC. Errors are problem+json (RFC 9457) and say what "
                "to do next."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
            "contact": {"name": "The operator of this Greenroom server"},
        },
        "servers": [{"url": "/", "description": "This Greenroom server."}],
        "security": [{"key": []}],
        "tags": [{"name": name, "description": what} for name, what in tags.items()],
        "paths": paths,
        "webhooks": {kind: {"post": _webhook(kind, schemas)} for kind in (*EVENTS, TEST)},
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        "An API key of the site, `gr_…`. Create one with `greenroom key "
                        "create`, in the console or with this API. The scope admin includes "
                        "moderate, and moderate includes read. The scope post is separate."
                    ),
                }
            },
        },
    }


def _operation(noun: Noun, call: Call, schemas: Schemas) -> Json:
    operation: Json = {
        "operationId": camel(call.operation),
        "tags": [noun.tag],
        "summary": call.summary,
        "description": call.description,
        "security": [{"key": [call.scope]}] if call.scope else [],
    }
    if parameters := list(_parameters(call, schemas)):
        operation["parameters"] = parameters
    if call.body:
        operation["requestBody"] = {
            "required": not call.body_may_be_missing,
            "content": dict(_contents(call, schemas)),
        }
    operation["responses"] = {
        str(status): _answer(call, status, meaning, schemas)
        for status, meaning in call.answers.items()
    }
    return operation


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _parameters(call: Call, schemas: Schemas) -> Iterator[Json]:
    for name in call.path_names:
        values = call.path_values.get(name)
        schema = {"type": "string", "enum": list(values)} if values else PATH_VALUES[name]
        yield _parameter(name, "path", schema, is_required=True)
    if call.query:
        schema = schemas.queries[call.query.__name__]
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
    """A parameter is present or left out; it is never null."""
    kept = {name: value for name, value in schema.items() if name != "anyOf"}
    if kept.get("default", "") is None:
        del kept["default"]
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(options) == 1:
        kept |= options[0]
    elif options:
        kept["anyOf"] = options
    return kept


def _contents(call: Call, schemas: Schemas) -> Iterator[tuple[str, Json]]:
    # Only the first type, because generators fail on one shape under two of them.
    yield call.body_types[0], _content(call.body, schemas, is_sent=True)
    if call.form:
        yield FORM, _content(call.form, schemas, is_sent=True)


def _content(shape: Any, schemas: Schemas, *, is_sent: bool) -> Json:
    return {"schema": schemas.of[shape], "example": schemas.example(shape, is_sent=is_sent)}


def _answer(call: Call, status: int, meaning: str, schemas: Schemas) -> Json:
    answer: Json = {"description": meaning}
    if status in WITHOUT_BODY:
        pass
    elif status >= 400 and not (status == 503 and call.path in TELL_WHAT_FAILS):
        answer["content"] = {"application/problem+json": _problem(status, meaning)}
        if call.form:
            answer["content"]["text/html"] = {"schema": {"type": "string"}}
    else:
        answer["content"] = {call.answer_type: _content(call.answer, schemas, is_sent=False)}
        for other, example in call.other_types.items():
            answer["content"][other] = {"schema": {"type": "string"}, "example": example}
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


def _webhook(kind: str, schemas: Schemas) -> Json:
    schema = {"$ref": REF.format(model=event_name(kind))}
    example = schemas.example_of(schema, is_sent=False)
    return {
        "operationId": f"on{event_name(kind).removesuffix('Event')}",
        "tags": [EVENT_TAG],
        "summary": f"Receive {kind}",
        "description": (
            f"{HAPPENED[kind]} Respond with 2xx within 15 seconds; otherwise Greenroom retries."
        ),
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
            "204": {"description": "You received the event. Every 2xx status counts as success."},
            "410": {"description": "You want no more events. Greenroom disables the webhook."},
        },
    }


class Described(NamedTuple):
    """One operation for the documentation page."""

    method: str
    path: str
    operation: Json


def by_tag(written: Json) -> dict[str, list[Described]]:
    """Return the document's operations by tag, in the document's order."""
    found: dict[str, list[Described]] = {tag["name"]: [] for tag in written["tags"]}
    for path, methods in [*written["paths"].items(), *written["webhooks"].items()]:
        for method, operation in methods.items():
            found[operation["tags"][0]].append(Described(method, path, operation))
    return found
