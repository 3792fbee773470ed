"""`create_app()`: blueprints, error handlers, security headers."""

from __future__ import annotations

import math

import structlog
from flask import Flask, Response, request
from obstore.exceptions import BaseError as StoreError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from models.logs import configure_logs
from models.settings import settings
from models.store import deadlines
from models.store.database import OutcomeUnknown
from models.store.faults import in_words, is_database_trouble, is_disk_full
from models.store.secrets import WrongKeys
from service.api import (
    appeals,
    blocks,
    comments,
    decisions,
    docs,
    events,
    keys,
    lists,
    mailing,
    model_versions,
    notes,
    notices,
    people,
    policy,
    public,
    quality,
    receipts,
    reports,
    threads,
    transparency,
    webhooks,
)
from service.api import (
    log as done,
)
from service.console import console
from service.console.blueprint import problem_page, wants_json
from service.embed import embed
from service.embed.pages import error_page, form_with_errors
from service.http.body_sizes import COMMENT_BYTES, MOST_BYTES
from service.http.csp_reports import csp_reports
from service.http.problems import REFUSED, Problem
from service.http.requests import FORM
from service.http.response_headers import SECURITY_HEADERS
from service.http.sharing import READERS, share_error
from service.http.transport import STRICT, is_https
from service.http.wellknown import wellknown
from service.operations import health, metrics

API = ("/v1", "/health", "/metrics", "/openapi.json", "/csp-reports")
# Requests that need little from the database.
PUBLIC = ("embed.", "health.", *(f"{name}." for name in READERS))
PUBLIC_SECONDS = 3.0  # the longest that such a request waits for the database in all
PLAIN_FORM = "public.post_comment"
KEPT_BY_CACHES = ("GET", "HEAD")  # answers to other methods are not cached, unless they ask for it
log = structlog.get_logger()


def create_app() -> Flask:
    configure_logs()
    app = Flask("greenroom", static_folder=None)
    app.url_map.merge_slashes = app.url_map.strict_slashes = (
        False  # a redirect would repeat any host of the Host header
    )
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=COMMENT_BYTES,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    if hops := settings().proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    nouns = (
        public,
        receipts,
        mailing,
        reports,
        notices,
        appeals,
        lists,
        comments,
        decisions,
        notes,
        blocks,
        threads,
        events,
        webhooks,
        policy,
        model_versions,
        quality,
        transparency,
        people,
        keys,
        done,
    )
    for blueprint in (
        *(noun.api for noun in (*nouns, health, metrics, docs)),
        embed,
        console,
        wellknown,
        csp_reports,
    ):
        app.register_blueprint(blueprint)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(public.FormRefused, _refused_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database_failed)
    app.register_error_handler(OutcomeUnknown, _perhaps_done)
    app.register_error_handler(PoolTimeout, _away)
    app.register_error_handler(WrongKeys, _wrong_keys)
    app.register_error_handler(OSError, _storage_away)
    app.register_error_handler(StoreError, _storage_away)
    app.register_error_handler(Exception, _unexpected)
    app.before_request(_refuse)
    app.before_request(_bound)
    app.teardown_request(_unbound)
    app.after_request(_secure)
    metrics.watch(app)
    return app


def _bound() -> None:
    """Limit the wait: no request waits long for a database that does not answer, and readers do not
    wait for a slow one, either. Limit strangers' bodies to the length of a comment's.
    """
    is_public = (request.endpoint or "").startswith(PUBLIC)
    if is_public:
        request.max_content_length = COMMENT_BYTES
    deadlines.start(PUBLIC_SECONDS if is_public else math.inf, deadlines.WEB_PATIENCE)


def _unbound(_: object) -> None:
    deadlines.stop()


def _refuse() -> None:
    """Answer a request that the gate refused before this application saw it
    (service/gate/app.py).
    """
    if refusal := request.environ.get(REFUSED):
        raise refusal


def _problem(problem: Problem) -> Response:
    """Pages and the plain form answer in HTML, everything else in problem+json."""
    is_plain_form = request.endpoint == PLAIN_FORM and request.mimetype == FORM
    if request.path.startswith(API) and not is_plain_form:
        return share_error(problem.response())
    if request.path.startswith("/console/") and wants_json():
        return problem.response()
    if request.path.startswith("/console/"):
        return problem_page(problem)
    return error_page(problem)


def _refused_form(refused: public.FormRefused) -> Response:
    return form_with_errors(refused.site, refused.fields, refused.problem)


def _http(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    problem = Problem(error.code, error.description or error.name)
    answer = _problem(problem)
    for name in ("Allow", "Retry-After"):
        if value := error.get_response().headers.get(name):
            answer.headers[name] = value
    return answer


def _database_failed(error: DBAPIError) -> Response:
    """A problem of the database is a 503; a statement that it rejects is our own bug."""
    is_its_own = (
        isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    )
    return _away(error) if is_its_own or is_database_trouble(error) else _unexpected(error)


def _away(error: DBAPIError | PoolTimeout) -> Response:
    log.error(
        "database.away",
        error=type(error).__name__,
        reason=in_words(error) or "the database does not respond",
    )
    if is_disk_full(error):
        return _later("The server's disk is full. Nothing was accepted; please try again later.")
    return _later(
        "The database is not available. Nothing was accepted; please try again in a moment."
    )


def _perhaps_done(error: OutcomeUnknown) -> Response:
    log.error(
        "database.away",
        error=type(error).__name__,
        reason=in_words(error) or "the database does not respond",
    )
    return _later(
        "The database stopped responding while it saved this, so it may or may not have been "
        "saved. Please check in a moment before you try again."
    )


def _later(detail: str) -> Response:
    return _problem(Problem(503, detail, headers={"Retry-After": "5"}))


def _wrong_keys(error: WrongKeys) -> Response:
    """The log has the reason; strangers need not know it."""
    log.error("keys.wrong", error=type(error).__name__, reason=str(error))
    detail = "This service is not set up correctly. Nothing was accepted; please try again later."
    return _problem(Problem(503, detail, headers={"Retry-After": "60"}))


def _storage_away(error: OSError | StoreError) -> Response:
    """A stranger's wrong request never causes this, because a missing object is an empty thread."""
    log.error(
        "storage.away",
        error=type(error).__name__,
        reason=in_words(error) or "the storage does not respond",
    )
    return _later("The published pages are not available. Please try again in a moment.")


def _unexpected(error: Exception) -> Response:
    log.exception(
        "request.failed", path=request.url_rule.rule if request.url_rule else None, exc_info=error
    )
    return _problem(Problem(500, "Something went wrong on our side. The error has been logged."))


def _secure(answer: Response) -> Response:
    """Add the headers of every answer. A page keeps the Content-Security-Policy it has."""
    if "Cache-Control" not in answer.headers and request.method in KEPT_BY_CACHES:
        # without it, a cache would choose its own time
        answer.headers["Cache-Control"] = "no-store"
    has_its_own = "Content-Security-Policy" in answer.headers
    for name, value in SECURITY_HEADERS:
        if not (has_its_own and name in answer.headers):
            answer.headers.add(name, value)
    if is_https():
        answer.headers["Strict-Transport-Security"] = STRICT
    return answer
