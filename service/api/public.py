"""What readers' browsers ask for: the form, posting, threads, counts, receipts. No cookie, no key."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from flask import Blueprint, Response, redirect, request
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import aliased
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id
from models.judgement.policy import FormPolicy
from models.records import Comment, Thread
from models.store import deadlines, storage
from models.store.database import reading
from models.store.storage import TOPS_A_PAGE, Stored, cache_tag
from service.comments.accepting import accept
from service.comments.mending import getting
from service.comments.pages import empty_page, read_page, read_replies
from service.comments.receipts import find_receipt, receipt_of
from service.comments.submission import Submission, thread_key
from service.embed import pages
from service.http import limits
from service.http.addresses import reader
from service.http.body_sizes import COMMENT_BYTES
from service.http.form_tokens import issue_form_token
from service.http.page_headers import ROUTE, published_headers, shared_headers
from service.http.problems import Problem, from_validation, shaped
from service.sites.lookup import SiteInfo, find_site, remembered_site

MOST_THREADS, MOST_KEY = 500, 255
COUNT_SECONDS = 0.7  # the most a reader waits for counts that the published pages tell too
NEVER = "1970-01-01T00:00:00Z"  # a feed has to say when it was last changed
_PRIVATE = {"Cache-Control": "no-store"}
FORM_TYPE = "application/x-www-form-urlencoded"

api = Blueprint("public", __name__)


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, content_type="application/json")


def wanted_site(key: str) -> SiteInfo:
    site = find_site(key)
    if site is None:
        raise Problem(404, "There is no such site.")
    return site


@api.get("/v1/sites/<site>/form")
def form(site: str) -> Response:
    """What the form needs before it is sent."""
    info = wanted_site(site)
    body = {
        "token": issue_form_token(info.key),
        "locale": info.locale,
        "honeypot": "homepage_url",
        "min_seconds": FormPolicy().min_seconds,
    }
    return _shared(info, json_response(body, headers=_PRIVATE))


@api.post(ROUTE)
def post(site: str) -> BaseResponse:
    """Accept a comment: JSON from the embed, or the plain form."""
    info, address = wanted_site(site), reader()
    too_fast = limits.count_post(
        info.key, address
    )  # before anything is looked at, so wrong posts count too
    if request.mimetype == FORM_TYPE:
        return _post_form(info, address, too_fast)
    if too_fast:
        raise too_fast
    if request.mimetype != "application/json":
        raise Problem(415, f"Send application/json or {FORM_TYPE}.")
    comment_id = _accept(info, shaped(Submission, _body()), address)
    receipt = f"/v1/receipts/{receipt_of(comment_id)}"
    body = {"id": comment_id, "status": "pending", "receipt": receipt}
    return _shared(info, json_response(body, 202, {"Location": receipt, **_PRIVATE}))


def _post_form(info: SiteInfo, address: str, too_fast: Problem | None) -> BaseResponse:
    """The same for a browser without JavaScript: on to what happens next, or the form again with
    its errors. Who was too fast gets the form with all they typed, too, but none of it is looked
    at.
    """
    try:
        fields = typed(_body())
    except Problem as problem:
        raise too_fast or problem from None
    try:
        if too_fast:
            raise too_fast
        comment_id = _accept(info, Submission.model_validate(fields), address)
    except ValidationError as error:
        return pages.form_with_errors(info, fields, from_validation(error).errors, 422)
    except Problem as problem:
        errors = problem.errors or [{"field": "", "message": problem.detail}]
        answer = pages.form_with_errors(info, fields, errors, problem.status)
        answer.headers.update(problem.headers or {})
        return answer
    return redirect(pages.whats_next_url(info.key, receipt_of(comment_id)), 303)


def typed(form: bytes) -> dict[str, str]:
    """The fields of a form as they were typed. Raises the 400 for what is no form."""
    try:
        pairs = parse_qsl(
            form.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise Problem(400, "The form is not valid UTF-8.") from None
    return dict(pairs)


def _body() -> bytes:
    if request.content_length is None:
        raise Problem(411, "Say how long the body is: send Content-Length.")
    if request.content_length > COMMENT_BYTES:
        raise Problem(413, "A comment may be at most 128 KB.")
    return request.get_data(cache=False)


def _accept(info: SiteInfo, said: Submission, address: str) -> str:
    return accept(info, said, address=address, idempotency_key=_idempotency_key()).comment_id


def _idempotency_key() -> str | None:
    """Raises the 422 for one that can't be kept to. Granian hands on a header beyond ASCII as an
    empty one.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    key = key.strip()
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MOST_KEY):
        raise Problem(422, f"An Idempotency-Key is 1 to {MOST_KEY} visible ASCII characters.")
    return key


@api.get(ROUTE)
def comments(site: str) -> Response:
    """A page of a thread as it lies in storage; an unknown thread is an empty one."""
    info = wanted_site(site)
    thread = _thread_argument()
    page = _page_argument()
    top, get = request.args.get("replies"), getting(info.key, thread)
    if top is not None:
        stored = read_replies(info.key, thread, top, page or 1, get=get) if is_id(top) else None
    else:
        stored = read_page(info.key, thread, page, get=get)
    if stored is None:
        stored = _nothing_there(info, thread, page, is_newest=page is None and top is None)
    return _shared(info, _published(stored, cache_tag(info.key, thread)))


def _nothing_there(info: SiteInfo, thread: str, page: int | None, *, is_newest: bool) -> Stored:
    head = None if is_newest else read_page(info.key, thread, None, get=getting(info.key, thread))
    empty = orjson.loads(head.content) if head else empty_page(thread)
    content = orjson.dumps({**empty, "page": page or 1, "next": None, "comments": []})
    return Stored(content, f"none-{head.tag if head else 0}-{page or 1}")


def _published(stored: Stored, cache_tag: str, content_type: str = "application/json") -> Response:
    headers = published_headers(stored.tag, cache_tag)
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(stored.tag):
        return Response(status=304, headers=headers)
    return Response(stored.content, headers=headers, content_type=content_type)


def _thread_argument() -> str:
    thread = request.args.get("thread")
    if thread is None:
        raise _wrong_argument("thread", "Say which thread: ?thread=KEY.")
    try:
        return thread_key(thread)
    except ValueError as error:
        raise _wrong_argument("thread", str(error)) from None


def _page_argument() -> int | None:
    page = request.args.get("page")
    if page is None:
        return None
    if not (page.isascii() and page.isdecimal() and len(page) < 9 and int(page) >= 1):
        raise _wrong_argument("page", "A page is a number from 1.")
    return int(page)


def _wrong_argument(field: str, message: str) -> Problem:
    return Problem(422, message, errors=[{"field": field, "message": message}])


@api.get("/v1/sites/<site>/counts")
def counts(site: str) -> Response:
    """How many comments each of these threads shows, for a front page."""
    info = wanted_site(site)
    asked = list(dict.fromkeys(request.args.getlist("thread")))
    if not asked or len(asked) > MOST_THREADS:
        raise _wrong_argument("thread", f"Name 1 to {MOST_THREADS} threads: ?thread=A&thread=B.")
    try:
        keys = {key: thread_key(key) for key in asked}
    except ValueError as error:
        raise _wrong_argument("thread", str(error)) from None
    found = _counts(info, set(keys.values()))
    return _shared(info, json_response({key: found.get(kept, 0) for key, kept in keys.items()}))


def _counts(info: SiteInfo, keys: set[str]) -> dict[str, int]:
    """From the rows; while the database does not answer at once, from the published pages, if these
    are files.
    """
    wanted = select(Thread.key, Thread.count).where(Thread.site_id == info.id, Thread.key.in_(keys))
    try:
        with deadlines.within(COUNT_SECONDS), reading() as session:
            return dict(session.execute(wanted).all())
    except (DBAPIError, PoolTimeout):
        if not storage.is_folder():
            raise
    pages = {key: storage.get(storage.newest_name(info.key, key)) for key in keys}
    return {key: orjson.loads(page.content)["count"] for key, page in pages.items() if page}


@api.get("/v1/receipts/<receipt>")
def receipt(receipt: str) -> Response:
    """What became of a comment, for whoever holds its receipt."""
    found = find_receipt(receipt)
    if found is None:
        raise Problem(404, "There is no such receipt.")
    return _shared(wanted_site(found.site), json_response(found.answer, headers=_PRIVATE))


@api.get("/sites/<site>/thread.atom")
def feed(site: str) -> Response:
    """The comments readers see first, for feed readers; like the page, an unknown thread's is there
    and empty.
    """
    info = wanted_site(site)
    thread = _thread_argument()
    stored = getting(info.key, thread)(storage.feed_name(info.key, thread))
    if stored is None:
        from worker.publishing import feeds  # noqa: PLC0415 — an XML library, for this one answer

        stored = Stored(feeds.feed(info.key, thread, (), title=None, since=NEVER), "none")
    return _published(stored, cache_tag(info.key, thread), "application/atom+xml")


@api.get("/sites/<site>/c/<comment_id>")
def permalink(site: str, comment_id: str) -> BaseResponse:
    """To the article, at this comment, whatever its page."""
    info = wanted_site(site)
    row = None
    if is_id(comment_id):
        top = aliased(Comment)
        wanted = select(Thread.key, Thread.url, top.place).select_from(Comment)
        wanted = wanted.join(Thread, Thread.id == Comment.thread_id).join(
            top, top.id == Comment.top_id
        )
        wanted = wanted.where(
            Comment.id == comment_id, Comment.site_id == info.id, Comment.status == "approved"
        )
        with reading() as session:
            row = session.execute(wanted).one_or_none()
    if row is None:
        raise Problem(404, "This comment is not published.")
    page = (row.place or 0) // TOPS_A_PAGE + 1
    return redirect(f"{_article(info, row.key, row.url, page)}#greenroom-{comment_id}.{page}", 302)


def _article(info: SiteInfo, key: str, url: str | None, page: int) -> str:
    """Where the thread stands: its page, or the plain one if it never told us where it is."""
    if url:
        return url.partition("#")[0]
    if key.startswith("/") and info.origins:
        return info.origins[0] + quote(key, safe="/%")
    return f"/sites/{info.key}/thread?{urlencode({'thread': key, 'page': page})}"


@api.route(ROUTE, methods=["OPTIONS"])
@api.route("/v1/sites/<site>/form", methods=["OPTIONS"])
@api.route("/v1/sites/<site>/counts", methods=["OPTIONS"])
def preflight(site: str) -> Response:
    answer = _shared(wanted_site(site), Response(status=204))
    if "Access-Control-Allow-Origin" in answer.headers:
        answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
        answer.headers["Access-Control-Max-Age"] = "600"
    return answer


def share_errors(answer: Response) -> Response:
    """An error is for the page that asked, too: without this the embed could not read why.

    No query: the error may be that the database is away.
    """
    key = (request.view_args or {}).get("site")
    info = remembered_site(key) if request.blueprint == api.name and key else None
    return _shared(info, answer) if info else answer


def _shared(info: SiteInfo, answer: Response) -> Response:
    answer.headers.update(shared_headers(info, request.headers.get("Origin")))
    return answer
