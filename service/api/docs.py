"""`/openapi.json`, and the same as pages to read at `/docs`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson
from flask import Blueprint, Response, current_app, render_template

from service.api.openapi import by_tag, document
from service.http.calls import Noun
from service.http.csp_reports import headers_for

EXAMPLES = Path(__file__).parent / "examples"
FILES = {"Python": "receiver.py", "JavaScript": "receiver.mjs"}
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

api = Blueprint("docs", __name__, template_folder="templates")


def nouns() -> tuple[Noun, ...]:
    return tuple(each for each in current_app.blueprints.values() if isinstance(each, Noun))


@cache
def _written(all_nouns: tuple[Noun, ...]) -> bytes:
    return orjson.dumps(document(all_nouns))


@api.get("/openapi.json")
def openapi() -> Response:
    return Response(_written(nouns()), content_type="application/json")


@api.get("/docs")
def docs() -> Response:
    described = orjson.loads(_written(nouns()))
    page = render_template("api/docs.html", document=described, tags=by_tag(described))
    answer = Response(page)
    answer.headers.update(headers_for("docs", POLICY))
    return answer


@api.get("/docs/webhooks")
def webhooks() -> Response:
    """Explain how to receive webhooks, with examples that the tests run."""
    examples = {name: (EXAMPLES / file).read_text(encoding="utf-8") for name, file in FILES.items()}
    answer = Response(render_template("api/webhooks.html", examples=examples))
    answer.headers.update(headers_for("docs", POLICY))
    return answer
