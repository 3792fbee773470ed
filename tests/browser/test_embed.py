"""The embed under an article, from the first word to the published reply."""

from __future__ import annotations

import re
from itertools import count

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.greenroom import until

KIND = (
    "I walked past that bench on Sunday with my daughter, and two old friends of ours "
    "were sitting on it again."
)
ANSWER = (
    "We were there in the evening, and it had moved on to the ferry steps by then. "
    "The view is better too."
)
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
_numbers = count(1)


@pytest.fixture
def article(greenroom) -> str:
    """An article that nobody has read yet."""
    return f"{greenroom.paper}/2026/article-{next(_numbers)}"


def write(page: Page, body: str, *, name: str = "Ann", email: str = "ann@paper.test") -> None:
    page.get_by_label("Comment").fill(body)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Post comment").click()


def sentence(beginning: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(beginning)}")


def comment(page: Page, text: str) -> Locator:
    return page.locator("article").filter(has_text=text).last


def said(page: Page, text: str) -> Locator:
    return page.get_by_role("status").filter(has_text=text)


def test_a_comment_on_the_demo_article_is_seen_pending_and_then_published(greenroom, open_page):
    page = open_page(f"{greenroom.url}/demo")
    expect(page.get_by_role("heading", name="Leave a comment")).to_be_visible()
    expect(
        page.get_by_text("Your email address will not be published. Required fields are marked *")
    ).to_be_visible()

    write(page, KIND)
    expect(comment(page, KIND)).to_contain_text("being checked")
    expect(said(page, "Your comment has been published.")).to_be_visible()
    expect(comment(page, KIND)).not_to_contain_text("being checked")
    expect(page.get_by_role("heading", name="1 comment")).to_be_visible()

    page.reload()
    expect(comment(page, KIND)).to_be_visible()


def test_in_an_article_opened_from_the_console_every_comment_links_back(
    greenroom, open_page, article
):
    page = open_page(article)
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    expect(page.get_by_role("link", name="Moderate")).to_have_count(0)
    page.goto("about:blank")
    for address in (f"{article}#greenroom-moderate", article):
        page.goto(address)
        link = page.get_by_role("link", name="Moderate")
        expect(link).to_have_attribute(
            "href", re.compile(f"^{re.escape(greenroom.url)}/console/c/[0-9a-f-]{{36}}$")
        )
        page.goto("about:blank")


def test_a_reply_is_under_its_parent(open_page, article):
    page = open_page(article)
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()

    comment(page, KIND).get_by_role("button", name="Reply to Ann").click()
    expect(page.get_by_label("Comment")).to_be_focused()
    expect(page.get_by_role("heading", name="Reply to Ann")).to_be_visible()
    write(page, ANSWER, name="Ben", email="ben@paper.test")
    expect(said(page, "published")).to_be_visible()

    branch = page.locator("li").filter(has=page.locator("article", has_text=KIND)).first
    expect(branch.get_by_role("list").get_by_text(ANSWER)).to_be_visible()
    expect(page.get_by_role("heading", name="2 comments")).to_be_visible()
    expect(page.get_by_role("heading", name="Leave a comment")).to_be_visible()


def test_a_cancelled_reply_keeps_its_text(open_page, article):
    page = open_page(article)
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    reply = page.get_by_role("button", name="Reply to Ann")
    reply.click()
    page.get_by_label("Comment").fill(ANSWER)
    page.get_by_role("button", name="Cancel reply").click()
    expect(reply).to_be_focused()
    expect(page.get_by_label("Comment")).to_have_value(ANSWER)


def test_missing_fields_show_their_errors_and_the_first_one_has_the_focus(open_page, article):
    page = open_page(article)
    page.get_by_role("button", name="Post comment").click()
    for label in ("Comment", "Name", "Email"):
        expect(page.get_by_label(label)).to_have_accessible_description(
            "Please fill in this field."
        )
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Comment")).to_be_focused()
    page.get_by_label("Comment").fill("Now")
    expect(page.get_by_label("Comment")).not_to_have_attribute("aria-invalid", "true")


def test_an_email_that_cannot_be_an_address_is_an_error_at_its_field(open_page, article):
    page = open_page(article)
    write(page, KIND, email="ann@nodot")
    expect(page.get_by_label("Email")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_accessible_description(
        sentence("This is not an email address")
    )
    expect(page.get_by_label("Comment")).to_have_value(KIND)


def test_the_author_can_correct_a_domain_that_does_not_exist_and_keeps_the_text(open_page, article):
    page = open_page(article)
    write(page, KIND, email="ann@gmial.com")
    email = page.get_by_label("Email")
    expect(email).to_have_accessible_description(sentence("“gmial.com” can't receive email"))
    expect(page.get_by_label("Comment")).to_have_value(KIND)
    page.get_by_role("button", name="Use ann@gmail.com").click()
    expect(email).to_have_value("ann@gmail.com")
    expect(email).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Post comment").click()
    expect(said(page, "Your comment has been published.")).to_be_visible()


def test_a_reply_with_such_a_domain_is_offered_for_correction_under_the_comment_it_answers(
    open_page, article
):
    page = open_page(article)
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    page.get_by_role("button", name="Reply to Ann").click()
    write(page, ANSWER, name="Ben", email="ben@gmial.com")
    page.get_by_role("button", name="Use ben@gmail.com").click()
    expect(page.get_by_role("heading", name="Reply to Ann")).to_be_visible()
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_role("button", name="Reply to Ben")).to_be_visible()
    expect(page.get_by_role("listitem").get_by_role("list").get_by_text(ANSWER)).to_be_visible()


def test_only_its_author_sees_a_comment_held_for_a_moderator_even_after_a_reload(
    open_page, article
):
    page = open_page(f"{article}?site=careful")
    write(page, KIND)
    expect(said(page, "A moderator will read your comment")).to_be_visible()
    page.reload()
    expect(comment(page, KIND)).to_contain_text("awaiting moderation")
    somebody_else = open_page(f"{article}?site=careful")
    expect(somebody_else.get_by_text("No comments yet")).to_be_visible()


def test_the_draft_is_kept_for_the_tab(open_page, article):
    page = open_page(article)
    page.get_by_label("Comment").fill(KIND)
    page.get_by_label("Name").fill("Ann")
    page.reload()
    expect(page.get_by_label("Comment")).to_have_value(KIND)
    expect(page.get_by_label("Name")).to_have_value("Ann")


def test_a_script_in_every_field_is_only_text(open_page, article):
    page = open_page(article)
    page.get_by_label("Website").fill("https://example.org/?<script>alert(1)</script>")
    write(page, f"{KIND}\n\n{SCRIPT}", name=SCRIPT[:80])
    expect(said(page, "Thank you")).to_be_visible()
    expect(comment(page, KIND)).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("greenroom-comments img, greenroom-comments script")).to_have_count(0)


def test_the_page_loads_nothing_from_elsewhere_and_keeps_no_cookie(greenroom, open_page, article):
    page = open_page(article)
    hosts = []
    page.on("request", lambda request: hosts.append(request.url.split("/")[2]))
    page.reload()
    expect(page.get_by_text("No comments yet")).to_be_visible()
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    assert set(hosts) <= {greenroom.paper.split("/")[2], greenroom.url.split("/")[2]}
    assert page.context.cookies() == []


def test_an_arabic_page_has_the_thread_from_right_to_left(open_page, article):
    page = open_page(f"{article}?lang=ar")
    expect(page.get_by_role("heading", name="اترك تعليقًا")).to_be_visible()
    page.get_by_label("التعليق").fill(
        "مقعد واحد ومدينة كاملة تعرف متى تحمله. شكرًا على هذه الحكاية."
    )
    page.get_by_label("الاسم").fill("نور")
    page.get_by_label("البريد").fill("nur@paper.test")
    page.get_by_role("button", name="أرسل التعليق").click()
    expect(comment(page, "مقعد واحد")).to_be_visible()
    expect(comment(page, "مقعد واحد")).to_have_css("direction", "rtl")
    flower, text = (
        comment(page, "مقعد واحد").locator("svg"),
        comment(page, "مقعد واحد").locator(".text"),
    )
    assert flower.bounding_box()["x"] > text.bounding_box()["x"]


def test_the_honeypot_is_out_of_sight_and_out_of_the_way_of_assistive_technology(
    open_page, article
):
    page = open_page(article)
    expect(page.get_by_label("Comment")).to_be_visible()
    trap = page.locator("[name=homepage_url]")
    expect(trap).to_have_css("opacity", "0")
    expect(trap).to_have_attribute("aria-hidden", "true")
    expect(trap).to_have_attribute("tabindex", "-1")
    expect(page.get_by_role("textbox")).to_have_count(4)


def test_a_permalink_leads_to_its_comment_on_the_article(greenroom, open_page, article):
    page = open_page(article)
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    thread = article.removeprefix(greenroom.paper)
    wanted = greenroom.call("GET", f"/v1/sites/paper/comments?thread={thread}")["comments"][0]["id"]

    visitor = open_page(f"{greenroom.url}/sites/paper/c/{wanted}")
    expect(visitor).to_have_url(f"{article}#greenroom-{wanted}.1")
    expect(comment(visitor, KIND)).to_be_focused()


def test_older_comments_load_on_request_and_a_permalink_shows_them_at_once(
    greenroom, open_page, article
):
    thread = article.removeprefix(greenroom.paper)
    posted = [
        greenroom.call(
            "POST",
            "/v1/sites/paper/comments",
            {
                "thread": thread,
                "url": article,
                "name": f"Reader {number}",
                "email": "ann@paper.test",
                "body": f"{KIND} That was on evening number {number} of a long summer.",
            },
        )["id"]
        for number in range(36)
    ]
    until(lambda: greenroom.call("GET", f"/v1/sites/paper/comments?thread={thread}")["count"] == 36)
    page = open_page(article)
    expect(page.get_by_role("heading", name="36 comments")).to_be_visible()
    expect(page.locator("article")).to_have_count(11)
    page.get_by_role("button", name="Older comments").click()
    expect(page.locator("article")).to_have_count(36)
    expect(comment(page, "evening number 24 ")).to_be_focused()
    expect(page.get_by_role("button", name="Older comments")).to_have_count(0)

    visitor = open_page(f"{greenroom.url}/sites/paper/c/{posted[3]}")
    expect(comment(visitor, "evening number 3 ")).to_be_focused()


def test_a_closed_thread_shows_its_comments_and_no_form(greenroom, open_page, article):
    page = open_page(article)
    write(page, KIND)
    expect(said(page, "published")).to_be_visible()
    thread = article.removeprefix(greenroom.paper)
    greenroom.call("PATCH", "/v1/sites/paper/threads", {"thread": thread, "state": "closed"})

    write(page, ANSWER)
    expect(said(page, "Comments are closed.")).to_be_visible()
    expect(comment(page, KIND)).to_be_visible()
    expect(page.get_by_role("button", name="Post comment")).to_be_hidden()
    expect(page.get_by_role("button", name="Reply to Ann")).to_have_count(0)
