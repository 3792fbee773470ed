"""The public keys of a site's sign-on: fetched from its JWKS URL (RFC 7517), and cached.

The request goes through the client that delivers webhooks, so it only reaches public addresses,
follows no redirect, and is limited in time and size.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cachetools import FIFOCache
from pydantic_core import from_json

from models import caches

if TYPE_CHECKING:
    from jwt import PyJWK

KINDS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}  # the type of key that an algorithm needs
MOST_KEYS = 20
SECONDS = 3.0  # to fetch the keys: a reader is waiting
FRESH_SECONDS = 600.0
AGAIN_SECONDS = 30.0  # before a key that we do not know, or a failure, makes us fetch again
STALE_SECONDS = 3600.0  # how long we use the last keys while they cannot be fetched
HEADERS = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "Greenroom"}


class NoKeys(Exception):
    """The keys cannot be fetched or read. The message says why, in a sentence."""


class _Fetched(NamedTuple):
    """`at` is when the keys were fetched, `tried` when we last tried; in monotonic seconds."""

    keys: list[dict[str, Any]] | None
    at: float
    tried: float
    error: str = ""


_cache: FIFOCache[str, _Fetched] = FIFOCache(1000)
_lock = threading.Lock()  # one fetch at a time, so that strangers' tokens cannot occupy all threads
caches.register(_cache.clear)


def keys_for(url: str, kid: str | None, algorithm: str) -> Sequence[PyJWK]:
    """Return the keys that may have signed a token. Raises `NoKeys`."""
    fetched = _known(url)
    keys = _fitting(fetched.keys or [], kid, algorithm)
    if not keys and time.monotonic() - fetched.tried >= AGAIN_SECONDS:
        fetched = _refresh(url, fetched)  # the site may have rotated its keys
        keys = _fitting(fetched.keys or [], kid, algorithm)
    if fetched.keys is None:
        raise NoKeys(fetched.error)
    return keys


def _known(url: str) -> _Fetched:
    """Return the keys, fetched within the last minutes if possible."""
    known = caches.peek(_cache, url)
    at = time.monotonic()
    if known and (at - known.at < FRESH_SECONDS or at - known.tried < AGAIN_SECONDS):
        return known
    return _refresh(url, known)


def _refresh(url: str, known: _Fetched | None) -> _Fetched:
    if not _lock.acquire(timeout=SECONDS):
        return known or _Fetched(None, 0.0, 0.0, "Other keys are being fetched. Try again.")
    try:
        latest = caches.peek(_cache, url)
        if latest is not known and latest is not None:  # another thread has just fetched them
            return latest
        _cache[url] = _fetched(url, known)
        return _cache[url]
    finally:
        _lock.release()


def _fetched(url: str, known: _Fetched | None) -> _Fetched:
    at = time.monotonic()
    try:
        return _Fetched(fetch(url), at, at)
    except NoKeys as error:
        if known and known.keys is not None and at - known.at < STALE_SECONDS:
            return known._replace(tried=at)
        return _Fetched(None, at - FRESH_SECONDS, at, str(error))


def fetch(url: str) -> list[dict[str, Any]]:
    """Fetch the keys now. Raises `NoKeys`."""
    # Imported here because it takes memory that a site with secrets does not need.
    from worker.webhooks.connections import MOST_READ  # noqa: PLC0415
    from worker.webhooks.targets import Unsent  # noqa: PLC0415

    try:
        answer = asyncio.run(_get(url))
    except Unsent as error:
        raise NoKeys(f"The JWKS URL did not answer. {error}") from None
    if 300 <= answer.status < 400:
        raise NoKeys("The JWKS URL redirects. Enter the address that it leads to.")
    if answer.status != 200:
        raise NoKeys(f"The JWKS URL answered with status {answer.status}.")
    if len(answer.body) >= MOST_READ:
        raise NoKeys(f"The JWKS URL's answer is too long: at most {MOST_READ:,} bytes.")
    return _parsed(answer.body)


async def _get(url: str) -> Any:
    from worker.webhooks.posting import Poster  # noqa: PLC0415

    async with Poster(SECONDS) as poster:
        return await poster.get(url, HEADERS)


def _parsed(body: bytes) -> list[dict[str, Any]]:
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError:
        content = None
    keys = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise NoKeys("The JWKS URL's answer is not a JSON Web Key Set: an object with `keys`.")
    if len(keys) > MOST_KEYS:
        raise NoKeys(f"The JWKS URL's answer has too many keys: at most {MOST_KEYS}.")
    return keys


def _fitting(keys: list[dict[str, Any]], kid: str | None, algorithm: str) -> list[PyJWK]:
    """Return the keys for this algorithm and, if the token names one, with that id."""
    import jwt  # noqa: PLC0415

    fitting = []
    for key in keys:
        is_named = kid is None or key.get("kid") == kid
        is_of_kind = key.get("kty") == KINDS[algorithm]
        may_sign = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
        if is_named and is_of_kind and may_sign:
            try:
                fitting.append(jwt.PyJWK.from_dict(key, algorithm))
            except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError):
                continue  # a damaged key must not make the others useless
    return fitting
