"""Response headers that Flask's routes and the gate both send."""

from __future__ import annotations

from models.settings import settings
from service.sites.lookup import SiteInfo

ROUTE = "/v1/sites/<site>/comments"
SECURITY_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]


def published_headers(tag: str, cache_tag: str) -> dict[str, str]:
    """Return how a page may be cached: a browser asks again each time, a CDN as often as the owner
    sets.
    """
    headers = {"ETag": f'"{tag}"', "Cache-Control": "public, no-cache"}
    if (
        seconds := settings().cdn_seconds
    ):  # under both names: RFC 9213, and the one that Fastly and Varnish read
        headers["CDN-Cache-Control"] = headers["Surrogate-Control"] = f"max-age={seconds}"
        headers["Cache-Tag"] = headers["Surrogate-Key"] = cache_tag
    return headers


def cors_headers(site: SiteInfo, origin: str | None) -> dict[str, str]:
    """Return CORS headers: only pages of the site's own origins may read this."""
    headers = {"Vary": "Origin"}
    if origin and origin in site.origins:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "Location, Retry-After, ETag"
    return headers
