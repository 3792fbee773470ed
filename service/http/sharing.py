"""Who may read an answer to a reader's browser: the pages of the site's own origins (CORS)."""

from __future__ import annotations

from flask import Response, g, request

from service.http.problems import Problem
from service.http.response_headers import cors_headers
from service.sites.lookup import SiteInfo, find_site, remembered_site

READERS = (
    "public",
    "receipts",
    "appeals",
    "reports",
    "notices",
    "mailing",
)  # the blueprints for readers' browsers
_HEADERS = "Content-Type, Idempotency-Key, Greenroom-Identity"


def wanted_site(key: str) -> SiteInfo:
    """Return the site, and let its pages read the answer, even if that is an error."""
    site = find_site(key)
    if site is None:
        raise Problem(404, "There is no such site.")
    g.shared_with = site
    return site


def shared(info: SiteInfo, answer: Response) -> Response:
    answer.headers.update(cors_headers(info, request.headers.get("Origin")))
    return answer


def share_error(answer: Response) -> Response:
    """Let the site's page read an error, too; otherwise the embed could not tell what went wrong.

    This makes no query, because the error may be that the database is down.
    """
    key = (request.view_args or {}).get("site")
    info: SiteInfo | None = g.get("shared_with")
    if info is None and key and request.blueprint in READERS:
        info = remembered_site(key)
    return shared(info, answer) if info else answer


def preflight(info: SiteInfo, methods: str) -> Response:
    """Tell a browser which requests the site's pages may send."""
    answer = shared(info, Response(status=204))
    if "Access-Control-Allow-Origin" in answer.headers:
        answer.headers["Access-Control-Allow-Methods"] = methods
        answer.headers["Access-Control-Allow-Headers"] = _HEADERS
        answer.headers["Access-Control-Max-Age"] = "600"
    return answer
