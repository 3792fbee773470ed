"""Whether readers reach the service by https, and what that asks of browsers."""

from __future__ import annotations

from flask import request

from models.settings import settings

# Two years, as the preload lists ask. Subdomains are left out: the host may be shared, and they are
# not Greenroom's.
STRICT = "max-age=63072000"


def is_https() -> bool:
    """By the setting, which no proxy can get wrong; without it by what the believed proxies say of
    Flask's request.
    """
    public_url = settings().public_url
    return public_url.startswith("https://") if public_url else request.is_secure


def says_https(forwarded_proto: str | None) -> bool:
    """The same without Flask, by a request's X-Forwarded-Proto."""
    if public_url := settings().public_url:
        return public_url.startswith("https://")
    hops = settings().proxy_hops
    said = [word.strip() for word in forwarded_proto.split(",")] if hops and forwarded_proto else []
    return bool(said) and len(said) >= hops and said[-hops] == "https"
