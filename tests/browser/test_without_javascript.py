"""The pages without JavaScript: the thread as a plain page, its form, and the page that says what
happens next.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.greenroom import until

KIND = (
    "My mother lives two doors from the bakery, and she says that the bell rings more "
    "often than it has to."
)
ANSWER = (
    "That is because people ring it when somebody sits there alone. I have done it "
    "myself more than once."
)


@pytest.fixture
def plain(open_page, greenroom):
    """Open the plain page of a thread of the newspaper, in a browser that runs no script."""

    def plain(thread: str, lang: str = "") -> Page:
        url = f"{greenroom.url}/sites/paper/thread?thread={thread}&url={greenroom.paper}{thread}"
        return open_page(f"{url}&lang={lang}" if lang else url, java_script_enabled=False)

    return plain


def write(page: Page, body: str, *, name: str = "Ann", email: str = "ann@paper.test") -> None:
    page.get_by_label("Comment").fill(body)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Post comment").click()


def test_a_comment_is_left_followed_and_answered(plain, greenroom):
    page = plain("/plain/1")
    expect(
        page.get_by_text("Your email address will not be published. Required fields are marked *")
    ).to_be_visible()
    write(page, KIND)
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
    expect(page.get_by_text("Your comment has been published.")).to_be_visible()

    page.get_by_role("link", name="Back to the comments").click()
    expect(page.get_by_text(KIND)).to_be_visible()
    page.get_by_role("link", name="Reply to Ann").click()
    expect(page.get_by_role("heading", name="Reply to Ann")).to_be_visible()
    write(page, ANSWER, name="Ben", email="ben@paper.test")
    expect(page.get_by_text("Your comment has been published.")).to_be_visible()

    page.get_by_role("link", name="Back to the comments").click()
    expect(page.get_by_role("listitem").get_by_role("list").get_by_text(ANSWER)).to_be_visible()
    expect(page.get_by_role("link", name="Back to the article")).to_have_attribute(
        "href", f"{greenroom.paper}/plain/1"
    )


def test_the_form_is_shown_again_with_the_errors_at_their_fields_and_the_typed_text(plain):
    page = plain("/plain/2")
    write(page, KIND, name="", email="ann@nodot")
    expect(page.get_by_role("alert")).to_have_text(
        "Your comment has not been sent yet. Please correct the fields below."
    )
    expect(page.get_by_label("Name")).to_have_accessible_description("Please fill in this field.")
    expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Email")).to_have_value("ann@nodot")
    expect(page.get_by_label("Comment")).to_have_value(KIND)

    page.get_by_label("Name").fill("Ann")
    page.get_by_label("Email").fill("ann@paper.test")
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_text("Your comment has been published.")).to_be_visible()


def test_a_domain_that_does_not_exist_is_named_on_the_page_that_follows(plain):
    page = plain("/plain/3")
    write(page, KIND, email="ann@gmial.com")
    expect(page.get_by_text("Your comment is not published.")).to_be_visible()
    expect(page.get_by_text("Did you mean gmail.com?")).to_be_visible()


def test_the_chosen_language_lasts_from_the_thread_through_an_error_to_the_status_page(plain):
    page = plain("/plain/4", lang="de")
    page.get_by_label("Kommentar").fill(
        "Ich war am Sonntag mit meiner Tochter dort, und die Bank stand am Anleger."
    )
    page.get_by_label("Name").fill("Ute")
    page.get_by_label("E-Mail").fill("ute")
    page.get_by_role("button", name="Kommentar abschicken").click()
    expect(page.get_by_label("E-Mail")).to_have_accessible_description(
        "Eine E-Mail-Adresse sieht so aus: name@example.org."
    )
    page.get_by_label("E-Mail").fill("ute@paper.test")
    page.get_by_role("button", name="Kommentar abschicken").click()
    expect(page.get_by_role("heading", name="Wie es weitergeht")).to_be_visible()


def test_the_honeypot_is_invisible(plain):
    page = plain("/plain/5")
    expect(page.get_by_label("Comment")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(4)
    assert page.locator(".trap").bounding_box()["width"] <= 1


def test_the_article_leads_there_when_no_script_runs(open_page, greenroom):
    page = open_page(f"{greenroom.url}/demo", java_script_enabled=False)
    page.get_by_role("link", name="Leave a comment").click()
    expect(page.get_by_role("heading", name="Leave a comment")).to_be_visible()


def test_everything_a_reader_may_do_works_as_plain_forms(plain, greenroom, open_page):
    def open_plain(url: str) -> Page:
        return open_page(url, java_script_enabled=False, viewport={"width": 390, "height": 844})

    def letter(words: str) -> str:
        wanted = (mail for mail in greenroom.mail.received if mail.to == "dora@paper.test")
        return next((mail.plain for mail in wanted if words in mail.plain), "")

    # An address is confirmed with the code of this page.
    page = plain("/plain/people")
    page.get_by_role("link", name="Confirm this address").click()
    page.get_by_label("Email").fill("dora@paper.test")
    page.get_by_label("Name").fill("Dora Lind")
    page.get_by_role("button", name="Send the link").click()
    code = page.locator(".code").inner_text()
    until(lambda: letter("/confirm/link/"))
    other = open_plain(_url(letter("/confirm/link/"), "/confirm/link/"))
    other.get_by_label("Code").fill(code)
    other.get_by_role("button", name="Confirm this address").click()
    expect(other.get_by_role("heading", name="Your address is confirmed.")).to_be_visible()

    # A reader with a confirmed address gives only a text.
    page.get_by_role("button", name="Go to the comments").click()
    expect(page.get_by_label("Email")).to_have_count(0)
    page.get_by_label("Comment").fill(KIND)
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_text("Your comment has been published.")).to_be_visible()
    receipt = page.url

    _report_and_send_a_notice(plain)

    # The mail about the decision leads the author to the reason, and she appeals.
    comment = greenroom.call("GET", "/v1/sites/paper/comments?thread=/plain/people")["comments"][0]
    decision = {"verdict": "reject", "reason": "abuse", "answer": "Please be kind."}
    greenroom.call("POST", f"/v1/sites/paper/comments/{comment['id']}/decisions", decision)
    until(lambda: letter("/receipts/"))
    page.goto(_url(letter("/receipts/"), "/receipts/"))
    assert page.url.startswith(receipt.partition("?")[0])
    expect(page.get_by_text("No insults, threats or hate")).to_be_visible()
    expect(page.get_by_text("Please be kind.")).to_be_visible()
    page.get_by_label("Why should your comment be published?").fill("It is kind.")
    page.get_by_role("button", name="Send appeal").click()
    expect(page.get_by_text("We have received your appeal.")).to_be_visible()

    # It leads to her choices, too.
    mail = open_plain(_url(letter("/receipts/"), "/mail/", without="list="))
    mail.get_by_role("group", name="Replies to my comments").get_by_label("Never").check()
    mail.get_by_role("button", name="Save changes").click()
    expect(mail.get_by_text("Your changes are saved.")).to_be_visible()


def test_an_author_edits_and_deletes_a_comment_from_its_receipt(plain):
    page = plain("/plain/own")
    write(page, KIND)
    expect(page.get_by_text("Your comment has been published.")).to_be_visible()
    page.get_by_label("Your text").fill(ANSWER)
    page.get_by_role("button", name="Save changes").click()
    until(lambda: page.reload() and page.get_by_text("Your change has been published.").count())
    page.get_by_role("link", name="Delete this comment").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Your comment was deleted.")).to_be_visible()


def _url(text: str, part: str, *, without: str = " ") -> str:
    urls = re.findall(r"http://\S+", text)
    return next(url for url in urls if part in url and without not in url)


def _report_and_send_a_notice(plain) -> None:
    reader = plain("/plain/people")
    reader.get_by_role("link", name="Report", exact=True).click()
    reader.get_by_label("Insult").check()
    reader.get_by_role("button", name="Send report").click()
    expect(reader.get_by_role("heading", name="Your report")).to_be_visible()
    reader.get_by_role("link", name="See the comment").click()
    reader = plain("/plain/people")
    reader.get_by_role("link", name="Report", exact=True).click()
    reader.get_by_role("link", name="Report illegal content").click()
    reader.get_by_label("What is it about?").select_option(index=2)
    reader.get_by_label("Why is it illegal?").fill("It calls for violence.")
    reader.get_by_label("Your name").fill("Ben")
    reader.get_by_label("Your email address").fill("ben@paper.test")
    reader.get_by_label("I believe in good faith").check()
    reader.get_by_role("button", name="Send notice").click()
    expect(reader.get_by_text("We have received your notice.")).to_be_visible()
