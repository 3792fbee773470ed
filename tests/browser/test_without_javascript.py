"""The pages without JavaScript: the thread as a plain page, its form, and the page that says what
happens next.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

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
    expect(page.get_by_text("Your comment was not published.")).to_be_visible()
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
