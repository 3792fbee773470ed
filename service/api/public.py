"""Calls from readers' browsers: the form, posting, threads, counts. They need no cookie and no
key.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote, urlencode

import orjson
from flask import Response, redirect, request, url_for
from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import aliased
from typing_extensions import TypedDict
from werkzeug.wrappers import Response as BaseResponse

from models.identifiers import is_id
from models.judgement.policy import FormPolicy, MayPost
from models.mailing.smtp import can_send
from models.records import Comment, Thread
from models.store import deadlines, storage
from models.store.database import reading
from models.store.published import ThreadPage
from models.store.storage import TOPS_A_PAGE, Stored, cache_tag
from service.comments.accepting import accept
from service.comments.mending import getting
from service.comments.pages import empty_page, read_page, read_replies
from service.comments.receipts import receipt_of
from service.comments.submission import (
    NON_BLANK,
    KnownSubmission,
    Submission,
    SubmissionForm,
    ThreadArgument,
    thread_key,
)
from service.http import limits, sharing
from service.http.addresses import hashed, is_address, reader
from service.http.api_keys import POST, caller
from service.http.api_types import ID_SCHEMA, Id
from service.http.body_sizes import COMMENT_BYTES
from service.http.calls import Header, Noun
from service.http.form_tokens import issue_form_token
from service.http.problems import Problem, from_validation, json_of, shaped
from service.http.requests import FORM, Query, query_as, whole_number
from service.http.response_headers import ROUTE, published_headers
from service.http.responses import PRIVATE, json_response
from service.http.sharing import shared, wanted_site
from service.readers.identity import FIELD, IDENTITY, Identity, identify
from service.readers.tokens import MOST_TOKEN
from service.sites.lookup import SiteInfo

MOST_THREADS, MOST_KEY, MOST_LANGUAGE = 500, 255, 35
READER_ADDRESS = "Greenroom-Reader-Address"
COUNT_SECONDS = 0.7  # the longest that a reader waits for counts that the published pages have, too
NEVER = "1970-01-01T00:00:00Z"  # a feed must say when it last changed

api = Noun("public", "Readers", "Calls for readers' browsers. They need no key and no cookie.")


class Form(TypedDict):
    """The data for a comment form."""

    token: Annotated[str, Field(examples=["ZGVtbw.aKx1Pw.9Xk0"])]
    locale: Annotated[str, Field(examples=["en"])]
    identity: Annotated[
        MayPost,
        Field(
            description=(
                "Who may post on this site: anyone, only readers with a confirmed email address, "
                "or only those whom the site signed in. A thread may differ."
            )
        ),
    ]
    confirms: Annotated[
        bool, Field(description="Whether readers can confirm an email address here.")
    ]
    honeypot: Annotated[
        str,
        Field(
            description="The name of a hidden field that traps bots. Omit it or leave it empty.",
            examples=["homepage_url"],
        ),
    ]
    min_seconds: Annotated[float, Field(examples=[2.0])]


@api.call(
    "GET",
    "/v1/sites/<site>/form",
    summary="Prepare the form",
    says="A token and the settings of the form.",
    answer=Form,
)
def read_form(site: str) -> Response:
    """Fetch the data for a comment form: a token to send with the comment, and the site's language.
    A comment without a token is accepted, but looks more suspicious.
    """
    info = wanted_site(site)
    body: Form = {
        "token": issue_form_token(info.key),
        "locale": info.locale,
        "identity": info.identity,
        "confirms": can_send(),
        "honeypot": "homepage_url",
        "min_seconds": FormPolicy().min_seconds,
    }
    return shared(info, json_response(body, headers=PRIVATE))


class Accepted(TypedDict):
    """An accepted comment. Use `receipt` to follow its status."""

    id: Id
    status: Literal["pending"]
    receipt: Annotated[
        str,
        Field(
            examples=["/v1/receipts/0195511c-6a20-7c3e-9d41-3f1f0a6b52c7.yzSXb2cPqTnU0Z0b0ZqB1g"]
        ),
    ]


@api.call(
    "POST",
    ROUTE,
    summary="Post a comment",
    says="The comment is accepted. Use the receipt to follow its status.",
    status=202,
    answers={
        303: "The form was accepted. `Location` is a page that tells the reader what happens next.",
        400: "The body is JSON or a form, but it is malformed or not UTF-8.",
        401: (
            "The identity is not valid or has expired, or the site requires one. Or "
            "Greenroom-Reader-Address was sent without a valid key."
        ),
        403: (
            "Greenroom-Reader-Address was sent with a key of another site or without the scope "
            "`post`."
        ),
        404: "There is no such site, or `parent` is not a published comment in this thread.",
        409: "The thread is closed.",
        411: "Content-Length is missing.",
        413: "The body is larger than 128 KB.",
        415: "The body is neither JSON nor a form.",
        422: "Some fields are not valid. `errors` lists them.",
        429: (
            "Too many comments in a short time; invalid ones count too. Retry-After says how "
            "long to wait."
        ),
        503: (
            "The database does not respond. Usually the comment was not accepted. If it may have "
            "been, `detail` says so. Sending it again is safe."
        ),
    },
    answer=Accepted,
    body=Submission,
    form=SubmissionForm,
    headers_in={
        "Idempotency-Key": Header(
            what="A repeated request with the same key and body returns the first response again.",
            schema={
                "type": "string",
                "minLength": 1,
                "maxLength": MOST_KEY,
                "pattern": "^[!-~]([ -~]*[!-~])?$",
                "examples": ["6f1c2a4e-post-1"],
            },
        ),
        IDENTITY: Header(
            what=(
                "Who the reader is: a token of the site's sign-on (docs/sign-on.md) or a reader "
                "key. With it, `name` and `email` may be missing from the body. The email and "
                "website of the identity replace those in the body, and so does the name in a "
                "token."
            ),
            schema={"type": "string", "maxLength": MOST_TOKEN},
        ),
        READER_ADDRESS: Header(
            what=(
                "The reader's IP address, for a server that posts on behalf of its readers. Needs "
                "a key with the scope `post` in `Authorization`. Rate limits then apply to the "
                "reader, not to the server."
            ),
            schema={"type": "string", "maxLength": 64, "examples": ["203.0.113.9"]},
        ),
    },
    headers_out={202: ("Location",)},
)
def post_comment(site: str) -> BaseResponse:
    """Post a comment as JSON, or as an HTML form without JavaScript. Greenroom checks it within
    seconds, and publishes, holds or rejects it. The receipt shows the result.
    """
    info = wanted_site(site)
    address = _reader_address(info)
    too_fast = limits.count_post(
        info.key, address
    )  # before anything else, so that invalid posts count, too
    if request.mimetype == FORM:
        return _post_form(info, address, too_fast)
    if too_fast:
        raise too_fast
    if request.mimetype != "application/json":
        raise Problem(415, f"Content-Type must be application/json or {FORM}.")
    identity = identify(info, "")
    comment_id = _accept(info, _said(_body(), identity), address, identity)
    receipt = f"/v1/receipts/{receipt_of(comment_id)}"
    body: Accepted = {"id": comment_id, "status": "pending", "receipt": receipt}
    return shared(info, json_response(body, 202, {"Location": receipt, **PRIVATE}))


def _said(body: bytes, identity: Identity | None) -> Submission:
    """Return the comment of a JSON body, with the name and the address of a known author."""
    if identity is None:
        return shaped(Submission, body)
    fields = json_of(body)
    if not isinstance(fields, dict):
        return shaped(Submission, body)
    return shaped(KnownSubmission, orjson.dumps(identity.fill(fields)))


def _reader_address(info: SiteInfo) -> str:
    """Return today's hash of the reader's address: the client's, or the one that a server passes
    with a key of the scope `post`. A refused one counts as a post of the server.
    """
    passed = request.headers.get(READER_ADDRESS)
    if passed is None:
        return reader()
    try:
        caller(info.key, POST)
        if not is_address(passed):
            raise Problem(422, f"{READER_ADDRESS} must be one IP address, like 203.0.113.9.")
    except Problem as problem:
        raise limits.count_post(info.key, reader()) or problem from None
    return hashed(passed)


class FormRefused(Exception):
    """A plain form that was not accepted: the typed fields, and what is wrong. The application
    answers it with the form again (service/app.py).
    """

    def __init__(self, site: SiteInfo, fields: dict[str, str], problem: Problem) -> None:
        super().__init__(problem.detail)
        self.site, self.fields, self.problem = site, fields, problem


def _post_form(info: SiteInfo, address: str, too_fast: Problem | None) -> BaseResponse:
    """Accept a comment from a browser without JavaScript: redirect to the page that says what
    happens next, or show the form again with its errors. After too many posts, the form keeps the
    typed text, but nothing is checked.
    """
    try:
        fields = typed(_body())
    except Problem as problem:
        raise too_fast or problem from None
    try:
        if too_fast:
            raise too_fast
        identity = identify(info, fields.get(FIELD, ""))
        if identity:
            said: Submission = KnownSubmission.model_validate(identity.fill(fields))
        else:
            said = Submission.model_validate(fields)
        comment_id = _accept(info, said, address, identity)
    except ValidationError as error:
        raise FormRefused(info, fields, from_validation(error)) from None
    except Problem as problem:
        raise FormRefused(info, fields, problem) from problem
    language = request.args.get("lang", "")[:MOST_LANGUAGE] or None
    receipt = receipt_of(comment_id)
    place = url_for("embed.whats_next", site_key=info.key, receipt=receipt, lang=language)
    return redirect(place, 303)


def typed(form: bytes) -> dict[str, str]:
    """Return the fields of a form as they were typed. Raises a 400 for a body that is not a
    form.
    """
    try:
        pairs = parse_qsl(
            form.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise Problem(400, "The form is not valid UTF-8.") from None
    return dict(pairs)


def _body() -> bytes:
    if request.content_length is None:
        raise Problem(411, "Content-Length is missing. Send the length of the body.")
    if request.content_length > COMMENT_BYTES:
        raise Problem(413, "The body is too large: at most 128 KB.")
    return request.get_data(cache=False)


def _accept(info: SiteInfo, said: Submission, address: str, identity: Identity | None) -> str:
    accepted = accept(
        info, said, address=address, idempotency_key=_idempotency_key(), identity=identity
    )
    return accepted.comment_id


def _idempotency_key() -> str | None:
    """Return the key. Raises a 422 for a key that cannot be used. Granian passes on a header that
    is not ASCII as an empty one.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    key = key.strip()
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MOST_KEY):
        raise Problem(422, f"Idempotency-Key must be 1 to {MOST_KEY} visible ASCII characters.")
    return key


class ThreadQuery(Query):
    """Which page of which thread."""

    thread: ThreadArgument
    page: Annotated[
        int | None,
        Field(
            ge=1,
            le=10**8 - 1,
            description=(
                "The page number, from 1 (the oldest comments). Without it, the newest page."
            ),
        ),
        whole_number(10**8 - 1),
    ] = None
    replies: Annotated[
        str | None,
        ID_SCHEMA,
        Field(
            description=(
                "List the remaining replies to the comment with this id. Its `more` is the URL of "
                "this list."
            )
        ),
    ] = None


@api.call(
    "GET",
    ROUTE,
    summary="Read a thread",
    says="A page of the thread.",
    answers={304: "The page has not changed since this ETag."},
    answer=ThreadPage,
)
def read_thread(site: str, query: ThreadQuery) -> Response:
    """Read one page of a thread. An unknown thread returns an empty page."""
    info = wanted_site(site)
    thread, page, top = query.thread, query.page, query.replies
    get = getting(info.key, thread)
    if top is not None:
        stored = read_replies(info.key, thread, top, page or 1, get=get) if is_id(top) else None
    else:
        stored = read_page(info.key, thread, page, get=get)
    if stored is None:
        stored = _nothing_there(info, thread, page, is_newest=page is None and top is None)
    return shared(info, _published(stored, cache_tag(info.key, thread)))


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


Counts = Annotated[dict[str, int], Field(examples=[{"/2026/harbour": 12, "/2026/market": 0}])]


def _keys(asked: list[str]) -> list[str]:
    if not 1 <= len(set(asked)) <= MOST_THREADS:
        raise ValueError(f"Send 1 to {MOST_THREADS} threads: ?thread=A&thread=B.")
    for key in asked:
        thread_key(key)
    return list(dict.fromkeys(asked))


class CountsQuery(Query):
    """The threads to count; repeat the parameter."""

    thread: Annotated[
        list[str],
        AfterValidator(_keys),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_THREADS,
                "items": NON_BLANK | {"maxLength": 500},
                "description": "A thread's key. Repeat the parameter for more threads.",
                "examples": [["/2026/harbour", "/2026/market"]],
            }
        ),
    ]


@api.call(
    "GET",
    "/v1/sites/<site>/counts",
    summary="Count comments",
    says="The number of published comments for each thread key.",
    answers={414: "The URL is longer than 64 KB. Split the request."},
    answer=Counts,
)
def count_comments(site: str, query: CountsQuery) -> Response:
    """Count the published comments of up to 500 threads, for a front page."""
    info = wanted_site(site)
    keys = {key: thread_key(key) for key in query.thread}
    found = _counts(info, set(keys.values()))
    body = {key: found.get(kept, 0) for key, kept in keys.items()}
    return shared(info, json_response(body))


def _counts(info: SiteInfo, keys: set[str]) -> dict[str, int]:
    """Count from the rows. If the database does not answer quickly, use the published pages, if
    these are files.
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


class FeedQuery(Query):
    """Which thread."""

    thread: ThreadArgument


@api.get("/sites/<site>/thread.atom")
def feed(site: str) -> Response:
    """Return the newest page as a feed. Like the page, the feed of an unknown thread exists and is
    empty.
    """
    info = wanted_site(site)
    thread = query_as(FeedQuery).thread
    stored = getting(info.key, thread)(storage.feed_name(info.key, thread))
    if stored is None:
        from worker.publishing import feeds  # noqa: PLC0415 — an XML library, for this one answer

        stored = Stored(feeds.feed(info.key, thread, (), title=None, since=NEVER), "none")
    return _published(stored, cache_tag(info.key, thread), "application/atom+xml")


@api.get("/sites/<site>/c/<comment_id>")
def permalink(site: str, comment_id: str) -> BaseResponse:
    """Redirect to the article at this comment, whatever its page."""
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
    """Return the thread's page, or the plain page if the thread has no address."""
    if url:
        return url.partition("#")[0]
    if key.startswith("/") and info.origins:
        return info.origins[0] + quote(key, safe="/%")
    return f"/sites/{info.key}/thread?{urlencode({'thread': key, 'page': page})}"


@api.route(ROUTE, methods=["OPTIONS"])
@api.route("/v1/sites/<site>/form", methods=["OPTIONS"])
@api.route("/v1/sites/<site>/counts", methods=["OPTIONS"])
def preflight(site: str) -> Response:
    return sharing.preflight(wanted_site(site), "GET, POST")
