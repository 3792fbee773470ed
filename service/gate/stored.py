"""Answer requests for published threads on the event loop: the same answer as Flask's route,
without Flask.

This answers only requests with an obvious meaning. For all others `answer()` returns False, and
Flask answers.
"""

from __future__ import annotations

from functools import lru_cache
from time import perf_counter
from typing import NamedTuple
from urllib.parse import unquote_plus

from models.store import storage
from models.text.numbers import digits_to_int
from service.comments.pages import read_page
from service.comments.submission import thread_key
from service.gate.rsgi import Headers, HTTPProtocol, Scope
from service.http.response_headers import (
    ROUTE,
    SECURITY_HEADERS,
    cors_headers,
    published_headers,
)
from service.http.transport import STRICT, says_https
from service.operations import metrics
from service.sites.lookup import fresh_site

BEFORE, BEHIND = "/v1/sites/", "/comments"
MOST_REMEMBERED, LONGEST = 2048, 512


class _Asked(NamedTuple):
    site: str
    thread: str
    page: int | None
    cache_tag: str


def answer(scope: Scope, protocol: HTTPProtocol) -> bool:
    """Answer a request for a page of a thread, if this is possible at once. Return False if it is
    not.
    """
    began = perf_counter()
    method = scope.method
    if method not in {"GET", "HEAD"}:
        return False
    asked = _asked(scope.path, scope.query_string)
    site = fresh_site(asked.site) if asked else None
    if asked is None or site is None or not storage.is_folder():
        return False
    headers = scope.headers
    known = _known_tag(headers.get("if-none-match")) if "if-none-match" in headers else ""
    origin = headers.get("origin") if "origin" in headers else ""
    if known is None or origin is None:
        return False
    try:
        stored = read_page(asked.site, asked.thread, asked.page)
    except OSError:
        return False
    if stored is None:
        return False
    status = 304 if known == stored.tag else 200
    answered: Headers = list(published_headers(stored.tag, asked.cache_tag).items())
    if status == 200:
        answered += [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(stored.content))),
        ]
    answered += cors_headers(site, origin).items()
    answered += SECURITY_HEADERS
    if says_https(headers.get("x-forwarded-proto") if "x-forwarded-proto" in headers else None):
        answered.append(("Strict-Transport-Security", STRICT))
    protocol.response_bytes(
        status, answered, stored.content if status == 200 and method == "GET" else b""
    )
    metrics.count(ROUTE, method, status, perf_counter() - began)
    return True


def _asked(path: str, query: str) -> _Asked | None:
    """Return the requested page, or None if that is not obvious."""
    if not path.startswith(BEFORE):
        return None
    return _parsed(path, query) if len(path) + len(query) <= LONGEST else _parse(path, query)


def _parse(path: str, query: str) -> _Asked | None:
    site = path.removeprefix(BEFORE).removesuffix(BEHIND)
    name, _, value = query.partition("=")
    value, has_more, more = value.partition("&")
    if not (path.endswith(BEHIND) and "/" not in site and name == "thread" and query.isascii()):
        return None
    page = None
    if has_more:
        name, _, number = more.partition("=")
        if "&" in more or name not in {"page", "after"}:
            return None
        if name == "page":
            page = digits_to_int(number, digits=8)
            if not page:
                return None
    try:
        thread = thread_key(unquote_plus(value, errors="strict"))
    except ValueError:
        return None
    return _Asked(site, thread, page, storage.cache_tag(site, thread))


_parsed = lru_cache(MOST_REMEMBERED)(_parse)


def _known_tag(header: str | None) -> str | None:
    """Return the tag of an `If-None-Match` header that names exactly one, or None."""
    quoted = (header or "").removeprefix("W/")
    tag = quoted[1:-1]
    is_plain = (
        len(quoted) > 2 and quoted[0] == quoted[-1] == '"' and '"' not in tag and "," not in tag
    )
    return tag if is_plain else None
