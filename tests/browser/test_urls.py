"""Our parser and a real browser agree on where a URL leads."""

from __future__ import annotations

from playwright.sync_api import Browser

from models.text import urls
from tests.models.text.test_urls import SPELLINGS

_HOSTS = (
    """texts => texts.map(text => { try { return new URL(text).hostname } catch { return "" } })"""
)


def test_a_browser_opens_the_host_that_we_see(chromium: Browser) -> None:
    page = chromium.new_page()
    try:
        hosts = page.evaluate(_HOSTS, [typed for typed, _ in SPELLINGS])
    finally:
        page.close()
    assert {typed: _plain(host) for (typed, _), host in zip(SPELLINGS, hosts, strict=True)} == dict(
        SPELLINGS
    )


def test_a_browser_opens_the_same_host_from_what_we_publish(chromium: Browser) -> None:
    published = [url for typed, _ in SPELLINGS if (url := urls.link(typed))]
    page = chromium.new_page()
    try:
        hosts = page.evaluate(_HOSTS, [url.href for url in published])
    finally:
        page.close()
    assert [host.strip("[]") for host in hosts] == [url.host for url in published]


def _plain(host: str) -> str:
    """Our form has neither the root's dot nor brackets."""
    return host.strip("[]").removesuffix(".")
