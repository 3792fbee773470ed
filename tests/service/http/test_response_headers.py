"""How long a page may be cached, and which origins may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from models.settings import settings
from service.http.response_headers import SECURITY_HEADERS, cors_headers, published_headers
from service.sites.lookup import SiteInfo

HOME = "https://paper.example"
SITE = SiteInfo(1, "demo", (HOME, "https://bücher.example"), "en", ())


@pytest.fixture
def keep_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    def change(seconds: int) -> None:
        monkeypatch.setenv("GREENROOM_CDN_SECONDS", str(seconds))
        settings.cache_clear()

    yield change
    settings.cache_clear()


def test_a_browser_asks_again_each_time(keep_for: Callable[[int], None]) -> None:
    keep_for(0)
    assert published_headers("abc", "demo") == {
        "ETag": '"abc"',
        "Cache-Control": "public, no-cache",
    }


def test_a_cdn_may_keep_a_page_as_long_as_the_owner_says(keep_for: Callable[[int], None]) -> None:
    keep_for(60)
    headers = published_headers("abc", "demo")
    assert headers["Cache-Control"] == "public, no-cache"  # the browser still asks
    assert headers["CDN-Cache-Control"] == headers["Surrogate-Control"] == "max-age=60"
    assert headers["Cache-Tag"] == headers["Surrogate-Key"] == "demo"


@pytest.mark.parametrize(
    ("origin", "may_read"),
    [
        (HOME, True),
        ("https://xn--bcher-kva.example", True),  # as browsers send it
        ("https://bücher.example", False),
        ("http://paper.example", False),
        ("https://paper.example:8443", False),
        ("https://paper.example.evil.example", False),
        ("https://PAPER.example", False),
        ("null", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_sites_own_origins_may_read(origin: str | None, may_read: bool) -> None:
    headers = cors_headers(SITE, origin)
    assert headers.get("Access-Control-Allow-Origin") == (origin if may_read else None)
    assert ("Access-Control-Expose-Headers" in headers) is may_read


def test_every_answer_says_that_it_depends_on_the_origin() -> None:
    """Otherwise a cache would give one origin's answer to another."""
    assert {cors_headers(SITE, origin)["Vary"] for origin in (HOME, "null", None)} == {"Origin"}


def test_an_answer_runs_no_script_and_cannot_be_framed() -> None:
    headers = dict(SECURITY_HEADERS)
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
