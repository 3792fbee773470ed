"""Whether readers reach the service by https, and what browsers must then do."""

from __future__ import annotations

from flask import request

from models.settings import settings

# Two years, as the preload lists require. Subdomains are left out: the host may be shared, and they
# do not belong to Greenroom.
STRICT = "max-age=63072000"


def is_https() -> bool:
    """Return whether this request came over https. The setting decides, because no proxy can get it
    wrong. Without it, the headers of trusted proxies decide.
    """
    public_url = settings().public_url
    return public_url.startswith("https://") if public_url else request.is_secure


def says_https(forwarded_proto: str | None) -> bool:
    """Return the same without Flask, from a request's X-Forwarded-Proto."""
    if public_url := settings().public_url:
        return public_url.startswith("https://")
    hops = settings().proxy_hops
    said = [word.strip() for word in forwarded_proto.split(",")] if hops and forwarded_proto else []
    return bool(said) and len(said) >= hops and said[-hops] == "https"
