"""Teach in a browser: a session by single keys, undo, and the same page on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import findings, sign_in, statuses
from tests.caller import Client
from tests.greenroom import until
from tests.service.picked import picked

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def label(page: Page, key: str, name: str) -> None:
    """Press a key while this comment is on the screen, and wait for the page that follows."""
    expect(page.locator(".lesson h2")).to_contain_text(name)
    expect(page.locator("html.drawn")).to_have_count(1)
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_session_is_labelled_by_single_keys(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    picked(client)
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    sign_in(page, url)
    page.locator("details.menu summary").click()
    page.get_by_label("More").get_by_role("link", name="Teach").click()
    page.get_by_role("button", name="Start a session").click()
    expect(page.get_by_role("button", name="Good A")).to_be_visible()
    label(page, "a", "Reader 0")
    label(page, "s", "Reader 1")
    label(page, "b", "Reader 2")
    assert statuses() == {
        "Reader 0": "approved",
        "Reader 1": "rejected",
        "Reader 2": "rejected",
        "Reader 3": "approved",
        "Reader 4": "approved",
    }
    label(page, "u", "Reader 3")
    expect(page.get_by_text("The label was undone.")).to_be_visible()
    until(lambda: statuses()["Reader 2"] == "approved")
    label(page, "f", "Reader 2")
    expect(page.get_by_text("2 of 20")).to_be_visible()

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("s")  # no key labels behind the dialog
    page.keyboard.press("Escape")
    expect(page.locator(".lesson h2")).to_contain_text("Reader 3")

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1440, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert findings(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("Good", "Spam", "Abuse", "Skip"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    page.get_by_role("button", name="Spam").click()
    expect(page.locator(".lesson h2")).to_contain_text("Reader 4")
    until(lambda: statuses()["Reader 3"] == "rejected")
