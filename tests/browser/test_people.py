"""Readers who sign on, report, edit, delete and appeal, in the element under an article."""

from __future__ import annotations

import re
import time
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser.console import findings
from tests.browser.test_embed import ANSWER, KIND, comment, said, write
from tests.greenroom import until
from tests.service.readers.tokens import token

_numbers = count(1)


@pytest.fixture
def thread() -> str:
    return f"/2026/people-{next(_numbers)}"


def test_a_reader_reports_a_comment_with_one_reason_and_by_keyboard(greenroom, open_page, thread):
    page = open_page(f"{greenroom.paper}{thread}")
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()

    reader = open_page(f"{greenroom.paper}{thread}", viewport={"width": 320, "height": 640})
    opener = comment(reader, KIND).get_by_role("button", name="More actions: Ann")
    opener.focus()
    reader.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(reader.get_by_role("link", name="Report illegal content")).to_have_attribute(
        "href", f"{greenroom.url}/sites/paper/notice?comment={_id(greenroom, thread)}&lang=en"
    )
    reader.get_by_role("button", name="Report", exact=True).press("Enter")
    expect(reader.get_by_role("radio", name="Insult")).to_be_focused()
    reader.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")

    reader.keyboard.press("Enter")
    reader.get_by_role("button", name="Report", exact=True).click()
    reader.get_by_role("button", name="Send report").click()
    expect(said(reader, "Choose a reason.")).to_be_visible()
    reader.get_by_role("radio", name="Threat").check()
    reader.get_by_label("Details").fill("It says where I sit.")
    assert reader.evaluate("document.documentElement.scrollWidth") == 320
    reader.get_by_role("button", name="Send report").click()
    sent = said(reader, "We have received your report.")
    expect(sent).to_be_focused()
    sent.get_by_role("link", name="Your report").click()
    expect(
        reader.get_by_text("No moderator has decided yet.").or_(
            reader.get_by_text("A moderator will look at the comment.")
        )
    ).to_be_visible()


def _id(greenroom, thread: str) -> str:
    page = greenroom.call("GET", f"/v1/sites/paper/comments?thread={thread}")
    return str(page["comments"][0]["id"])


def test_a_signed_in_reader_posts_with_no_fields_for_name_and_email_and_edits(
    greenroom, open_page, thread
):
    page = open_page(f"{greenroom.paper}{thread}?lang=en")
    expired = token(greenroom.secret, iss="paper", name="Ann Reed", exp=int(time.time()) - 60)
    fresh = token(greenroom.secret, iss="paper", name="Ann Reed", roles=["staff"])
    page.evaluate(
        """([expired, fresh]) => {
            window.reasons = [];
            document.addEventListener("greenroom:token", ({ detail }) => {
                window.reasons.push(detail.reason);
                detail.respond(Promise.resolve(window.reasons.length === 1 ? expired : fresh));
            });
        }""",
        [expired, fresh],
    )
    page.get_by_label("Comment").focus()
    expect(page.get_by_text("You are writing as Ann Reed.")).to_be_visible()
    expect(page.get_by_label("Name")).to_be_hidden()
    expect(page.get_by_label("Email")).to_be_hidden()
    page.get_by_label("Comment").fill(KIND)
    page.get_by_role("button", name="Post comment").click()
    expect(said(page, "published")).to_be_visible()
    assert page.evaluate("window.reasons") == ["missing", "expired"]
    expect(comment(page, KIND).locator("[part=badge]")).to_have_text("Team")
    page.reload()
    comment(page, KIND).get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Comment").last).to_have_value(KIND)
    page.get_by_label("Comment").last.fill(ANSWER)
    page.get_by_role("button", name="Save changes").click()
    expect(said(page, "Your changes have been published.")).to_be_visible()
    expect(comment(page, ANSWER)).to_contain_text("edited")

    comment(page, ANSWER).get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(said(page, "Your comment has been deleted.")).to_be_visible()
    assert findings(page) == []
    assert findings(page) == []


def test_a_reader_confirms_an_address_follows_the_thread_and_opens_the_choices_of_mail(
    greenroom, open_page, thread
):
    page = open_page(f"{greenroom.paper}{thread}")
    page.get_by_label("Name").fill("Cleo Marsh")
    page.get_by_label("Email").fill("cleo@paper.test")
    page.get_by_role("button", name="Confirm this address").click()
    code = page.locator(".code").inner_text()
    until(lambda: any(mail.to == "cleo@paper.test" for mail in greenroom.mail.received))
    letter = next(mail for mail in greenroom.mail.received if mail.to == "cleo@paper.test")
    link = re.search(r"http://\S+/confirm/link/\S+", letter.plain)[0]

    elsewhere = open_page(link, viewport={"width": 390, "height": 800})
    elsewhere.get_by_label("Code").fill(code)
    elsewhere.get_by_role("button").first.click()
    expect(elsewhere.get_by_text("Your address is confirmed.")).to_be_visible()

    expect(page.get_by_text("You are writing as Cleo Marsh.")).to_be_visible()
    expect(page.get_by_label("Email")).to_be_hidden()
    page.get_by_label("Comment").fill(KIND)
    page.get_by_role("button", name="Post comment").click()
    expect(said(page, "published")).to_be_visible()

    page.reload()
    expect(page.get_by_text("You are writing as Cleo Marsh.")).to_be_visible()
    page.get_by_label("Comment").focus()
    page.get_by_role("button", name="Follow this thread").click()
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()

    page.get_by_role("button", name="Your comments").click()
    expect(page.get_by_role("heading", name="My comments")).to_be_visible()
    expect(page.get_by_text(KIND)).to_be_visible()
    expect(page.get_by_role("heading", name="Threads that you follow")).to_be_visible()
    page.get_by_role("link", name="Choose what you get").click()
    expect(page.get_by_role("group", name="Replies to my comments")).to_be_visible()
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()
    page.goto(f"{greenroom.paper}{thread}")
    page.get_by_label("Comment").focus()
    page.get_by_role("button", name="Use another name").click()
    expect(page.get_by_label("Email")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_reader_learns_the_rule_that_a_held_comment_broke_and_appeals(
    greenroom, open_page, thread
):
    page = open_page(f"{greenroom.paper}{thread}?lang=en")
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    hold = {"thread": thread, "moderation": "before"}
    greenroom.call("PATCH", "/v1/sites/paper/threads", hold)
    page.get_by_label("Remember me here").check()
    write(page, ANSWER)
    expect(said(page, "A moderator will read your comment")).to_be_visible()
    held = greenroom.call("GET", "/v1/sites/paper/queue?status=flagged")["items"]
    decision = {"verdict": "reject", "reason": "off_topic", "answer": "That is another bench."}
    for item in held:
        greenroom.call("POST", f"/v1/sites/paper/comments/{item['id']}/decisions", decision)

    page.reload()
    own = comment(page, ANSWER)
    expect(own).to_contain_text("Your comment is not published.")
    expect(own).to_contain_text("Stay on topic")
    expect(own).to_contain_text("That is another bench.")
    own.get_by_role("button", name="Appeal").click()
    page.get_by_label("Why should your comment be published?").fill("It is the same bench.")
    assert findings(page) == []
    page.get_by_role("button", name="Send appeal").click()
    expect(said(page, "We have received your appeal.")).to_be_visible()
    page.reload()
    expect(own).to_contain_text("We have received your appeal.")
    expect(page.get_by_role("button", name="Appeal")).to_have_count(0)

    page.get_by_role("button", name="Edit and send again").click()
    expect(page.get_by_label("Comment")).to_have_value(ANSWER)
    assert page.evaluate("Object.keys(localStorage)") == ["greenroom /v1/sites/paper/"]
    kept = page.evaluate("Object.values(localStorage)[0]")
    assert "paper.test" not in kept
    assert ANSWER not in kept
