"""What all pages without JavaScript share: their blueprint, their headers, and their language."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.http.csp_reports import headers_for
from service.http.responses import PRIVATE

embed = Blueprint("embed", __name__, template_folder="templates")

_PLAIN = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def wished_language() -> str | None:
    """Return `?lang=`, which every page and form passes on to the next."""
    return request.args.get("lang", "")[:35] or None


def html_answer(page: str, *, status: int = 200, policy: str = _PLAIN) -> Response:
    response = Response(page, status, content_type="text/html; charset=utf-8")
    response.headers.update(headers_for("embed", policy))
    # The answer to a form may repeat what its reader typed.
    response.headers["Cache-Control"] = "no-cache" if request.method == "GET" else "no-store"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def private_answer(page: str, *, status: int = 200) -> Response:
    """Answer with a page that only one reader may see, because its address is a secret."""
    response = html_answer(page, status=status)
    response.headers.update(PRIVATE)
    return response
