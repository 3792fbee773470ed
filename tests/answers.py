"""Check every answer of every call, in every test, against the call's declaration."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask, Response, request
from pydantic import TypeAdapter

from service.api.openapi import TELL_WHAT_FAILS, WITHOUT_BODY
from service.api.schemas import Problem
from service.http.calls import Call, Noun

PROBLEM = "application/problem+json"


def calls_of(app: Flask) -> dict[str, Call]:
    """Return the calls by Flask's endpoint."""
    return {
        f"{noun.name}.{call.operation}": call
        for noun in app.blueprints.values()
        if isinstance(noun, Noun)
        for call in noun.calls
    }


def check_answers(app: Flask) -> None:
    """Make the application fail a request whose answer differs from the documentation."""
    calls = calls_of(app)

    @app.after_request
    def check(answer: Response) -> Response:
        call = calls.get(request.endpoint or "")
        if call and request.method == call.method and answer.status_code != 500:
            _check(call, answer)
        return answer


def _check(call: Call, answer: Response) -> None:
    status, what = answer.status_code, f"{call.method} {call.path}"
    assert status in call.answers, f"{what} does not document {status}: {answer.text}"
    if status in WITHOUT_BODY:
        assert not answer.data or status == 303, f"{what}: {status} has a body"
    elif status >= 400 and not (status == 503 and call.path in TELL_WHAT_FAILS):
        if not (call.form and answer.mimetype == "text/html"):
            assert answer.mimetype == PROBLEM, f"{what}: {answer.mimetype}"
            _adapter(Problem).validate_json(answer.data, strict=True)  # a conflict has more fields
    elif answer.mimetype == "application/json":
        _adapter(call.answer).validate_json(answer.data, strict=True, extra="forbid")
    else:
        types = (call.answer_type, *call.other_types)
        assert answer.mimetype in types, f"{what}: {answer.mimetype}"
    for name in call.headers_out.get(status, ()):
        assert name in answer.headers, f"{what}: {status} without {name}"


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
