"""Approving a comment with an unanswered question, by key and button, one and many."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.records import Comment, Question
from models.store.database import begin
from tests.browser.console import press, sign_in, statuses, wait_in_line
from tests.caller import Client
from tests.greenroom import until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(comment_id: str) -> None:
    with begin() as session:
        site = session.scalars(select(Comment.site_id).where(Comment.id == comment_id)).one()
        question = Question(
            site_id=site, comment_id=comment_id, whom="owner", text="Is it?", by="test"
        )
        session.add(question)


def test_an_approval_asks_before_it_passes_over_a_question(
    client: Client, url: str, open_page: Callable[..., Page]
) -> None:
    ids = wait_in_line(client, 5)
    ask(ids[0])
    page = open_page("about:blank", viewport={"width": 1440, "height": 900})
    sign_in(page, url)
    dialog, rows = page.locator("#unanswered"), page.locator(".row")
    expect(rows.first).to_contain_text("waiting for an answer")
    press(page, "a")
    expect(dialog).to_contain_text("the question about the comment by Reader 1 yet")
    expect(dialog.get_by_role("button", name="Approve only the others")).to_be_hidden()
    page.keyboard.press("a")  # no key decides behind the dialog
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(rows).to_have_count(5)

    for row in (0, 1):
        rows.nth(row).get_by_role("checkbox").check()
    page.keyboard.press("Shift+A")
    expect(dialog).to_contain_text("1 of these 2 comments has a question")
    dialog.get_by_role("button", name="Approve only the others").click()
    expect(rows).to_have_count(4)
    until(lambda: statuses()["Reader 2"] == "approved")

    ask(ids[2])  # after its row was loaded
    rows.nth(0).get_by_role("checkbox").uncheck()
    rows.nth(1).get_by_role("checkbox").check()
    page.keyboard.press("Shift+A")
    expect(page.locator("#said-so")).to_contain_text("asked a question that no one has answered")
    expect(rows).to_have_count(4)
    rows.nth(1).get_by_role("checkbox").check()
    page.keyboard.press("Shift+A")
    dialog.get_by_role("button", name="Approve anyway").click()
    until(lambda: statuses()["Reader 3"] == "approved")
    assert statuses()["Reader 1"] == "flagged"
