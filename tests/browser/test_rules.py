"""Moderators pick a rule and answer an appeal by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from models.settling.actor import Actor
from tests.browser.console import press, sign_in, statuses, wait_in_line
from tests.caller import Caller, Client
from tests.models.settling.deciding import decide
from tests.service.readers.test_appeals import WHY, appeal, change, receipt

RULES = [
    {"key": "insults", "title": "No insults", "reason": "abuse"},
    {"key": "threats", "title": "No threats", "reason": "abuse", "ground": "legal"},
]


@pytest.fixture
def page(url: str, open_page: Callable[..., Page]) -> Page:
    return open_page(f"{url}/console/sign-in", viewport={"width": 1440, "height": 900})


def test_a_number_picks_the_rule_and_one_key_still_rejects(
    client: Client, moderator: Caller, url: str, page: Page
) -> None:
    change(moderator, RULES)
    first, second = wait_in_line(client, 2)
    sign_in(page, url)
    press(page, "r")
    expect(page.locator(".reasons")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator("#said-so")).to_contain_text("Rejected Reader 1")
    press(page, "b")
    expect(page.locator("#said-so")).to_contain_text("Rejected Reader 2")
    page.reload()
    told = [receipt(client, comment)["statement"] for comment in (first, second)]
    assert [statement["rule"] for statement in told] == ["threats", "insults"]
    assert told[0]["ground"] == "legal"


def test_the_typed_answer_goes_with_the_key(client: Client, url: str, page: Page) -> None:
    (comment,) = wait_in_line(client, 1)
    decide(comment, "reject", by=Actor.key("0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"))
    assert appeal(client, comment).status_code == 201
    sign_in(page, url)
    expect(page.get_by_role("region", name="Appeal")).to_contain_text(WHY)
    page.get_by_label("Your answer to the author").fill("You are right.")
    page.keyboard.press("Escape")
    press(page, "a")
    expect(page.locator("#said-so")).to_contain_text("Approved Reader 1")
    page.reload()
    assert statuses() == {"Reader 1": "approved"}
    assert receipt(client, comment)["appeal"]["answer"] == "You are right."
