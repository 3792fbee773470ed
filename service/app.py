"""`create_app()`: blueprints, error handlers, security headers."""

from __future__ import annotations

import structlog
from flask import Flask, Response, request
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from models.faults import in_words
from models.logs import configure_logs
from models.settings import settings
from service import health, metrics
from service.api import (
    blocks,
    decisions,
    documents,
    lists,
    models,
    moderation,
    notes,
    people,
    public,
    replay,
    sites,
    webhooks,
)
from service.api import (
    log as done,
)
from service.console import console
from service.console.blueprint import problem_page, wants_json
from service.embed import pages as embed
from service.problems import Problem

MOST_BYTES = 2 * 1024 * 1024  # a policy with its word lists; what readers send has its own, smaller limit
API = ("/v1", "/health", "/metrics", "/openapi.json")
PLAIN_FORM = "public.post"
KEPT_BY_CACHES = ("GET", "HEAD")  # answers to other methods are not, unless they ask for it
log = structlog.get_logger()


def create_app() -> Flask:
    configure_logs()
    app = Flask("greenroom", static_folder=None)
    app.url_map.merge_slashes = app.url_map.strict_slashes = False  # a redirect would repeat whatever Host said
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES, MAX_FORM_MEMORY_SIZE=public.MOST_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False
    )
    if hops := settings().proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    nouns = (public, moderation, decisions, lists, notes, blocks, people, done, sites, webhooks, models, replay)
    for blueprint in (*(noun.api for noun in (*nouns, documents, health, metrics)), embed.embed, console):
        app.register_blueprint(blueprint)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _away)
    app.register_error_handler(PoolTimeout, _away)
    app.register_error_handler(OSError, _storage_away)
    app.register_error_handler(StoreError, _storage_away)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_secure)
    metrics.watch(app)
    return app


def _problem(problem: Problem) -> Response:
    """Pages and the plain form answer in HTML, everything else in problem+json."""
    is_plain_form = request.endpoint == PLAIN_FORM and request.mimetype == public.FORM_TYPE
    if request.path.startswith(API) and not is_plain_form:
        return public.share_errors(problem.response())
    if request.path.startswith("/console/") and wants_json():
        return problem.response()
    if request.path.startswith("/console/"):
        return problem_page(problem)
    return embed.error_page(problem)


def _http(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    problem = Problem(error.code, error.description or error.name)
    answer = _problem(problem)
    for name in ("Allow", "Retry-After"):
        if value := error.get_response().headers.get(name):
            answer.headers[name] = value
    return answer


def _away(error: DBAPIError | PoolTimeout) -> Response:
    log.error("database.away", error=type(error).__name__, reason=in_words(error) or "the database does not answer")
    return _problem(
        Problem(
            503,
            "The database is away. Nothing was accepted; please try again in a moment.",
            headers={"Retry-After": "5"},
        )
    )


def _storage_away(error: OSError | StoreError) -> Response:
    """A stranger's wrong request never comes to this: what is not there is answered as an empty thread."""
    log.error("storage.away", error=type(error).__name__, reason=in_words(error) or "the storage does not answer")
    detail = "The published pages can't be reached; please try again in a moment."
    return _problem(Problem(503, detail, headers={"Retry-After": "5"}))


def _unexpected(error: Exception) -> Response:
    log.exception("request.failed", path=request.url_rule.rule if request.url_rule else None, exc_info=error)
    return _problem(Problem(500, "Something broke on our side. It has been logged."))


def _secure(answer: Response) -> Response:
    """What holds for every answer; pages have a Content-Security-Policy of their own, and what may be kept says so."""
    if "Cache-Control" not in answer.headers and request.method in KEPT_BY_CACHES:
        answer.headers["Cache-Control"] = "no-store"  # a cache may choose a time by itself where none is said
    has_its_own = "Content-Security-Policy" in answer.headers
    answer.headers.extend(_SECURE if not has_its_own else [line for line in _SECURE if line[0] not in answer.headers])
    return answer


_SECURE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
]
