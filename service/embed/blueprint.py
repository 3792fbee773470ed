"""What all pages without JavaScript share: their blueprint, their headers, and their language."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.http.csp_reports import headers_for

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
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
