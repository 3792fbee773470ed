"""Sign-on tokens for tests, made as a site would make them."""

from __future__ import annotations

import time
from typing import Any

import jwt

from service.readers.sign_on import create_secret, kid_of
from service.sites.lookup import SiteInfo, find_site

BY = "tests"


def demo() -> SiteInfo:
    site = find_site("demo")
    assert site is not None
    return site


def new_secret() -> str:
    return create_secret(demo().id, by=BY)


def claims(**changed: Any) -> dict[str, Any]:
    """Return the claims of a good token for the site `demo`; None leaves one out."""
    at = int(time.time())
    good = {"iss": "demo", "sub": "7", "name": "Ann Reed", "iat": at, "exp": at + 300}
    return {claim: value for claim, value in (good | changed).items() if value is not None}


def token(secret: str, *, kid: str | None = "", algorithm: str = "HS256", **changed: Any) -> str:
    """Return a token of these claims. It names its secret, unless `kid` is None."""
    headers = {} if kid is None else {"kid": kid or kid_of(secret)}
    return jwt.encode(claims(**changed), secret, algorithm, headers)
