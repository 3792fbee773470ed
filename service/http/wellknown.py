"""Files that programs request at fixed addresses: security.txt (RFC 9116) and robots.txt (RFC
9309).
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response

from models.settings import settings
from models.store.database import now
from service.http.listening import public_url

VALID = timedelta(days=180)  # RFC 9116 recommends less than a year
KEPT_SECONDS = 3600
# Public pages stay open to search engines, including comments and the embed: they belong to the
# articles.
ROBOTS = """User-agent: *
Disallow: /console/
Disallow: /health/
Disallow: /metrics
"""

wellknown = Blueprint("wellknown", __name__)


@wellknown.get("/.well-known/security.txt")
def security() -> Response:
    contact = settings().security_contact or f"mailto:{settings().mail_from}"
    lines = [
        f"Contact: {contact}",
        f"Expires: {now() + VALID:%Y-%m-%dT00:00:00Z}",
        "Preferred-Languages: en",
        f"Canonical: {public_url()}/.well-known/security.txt",
    ]
    return _text("\n".join(lines) + "\n")


@wellknown.get("/robots.txt")
def robots() -> Response:
    return _text(ROBOTS)


def _text(text: str) -> Response:
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return answer
