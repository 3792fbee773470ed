"""The pages that work without JavaScript, as a browser gets them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from models.locales.words import read_words
from service.embed.pages import LIMITS
from tests.caller import COMMENT, posted, publish_all, screen_all

HOSTILE = "<script>alert(1)</script>\"'"


@pytest.fixture
def send(client):
    """Post the plain form, like a browser without JavaScript."""

    def send(lang: str = "", **fields: str):
        typed = urlencode({**COMMENT, **fields})
        return client.post(
            f"/v1/sites/demo/comments{lang and f'?lang={lang}'}",
            data=typed,
            content_type="application/x-www-form-urlencoded",
        )

    return send


def test_the_plain_page_has_the_form_in_the_words_readers_know(client):
    page = client.get("/sites/demo/thread?thread=/harbour").text
    assert "Leave a comment" in page
    assert "Your email address will not be published. Required fields are marked *" in page
    assert 'action="/v1/sites/demo/comments"' in page
    assert 'name="thread" value="/harbour"' in page


@pytest.mark.parametrize("name", LIMITS)
def test_every_field_has_a_label_and_the_longest_length_that_is_accepted(client, name):
    page = client.get("/sites/demo/thread?thread=/harbour").text
    assert f'<label for="{name}">' in page
    assert re.search(rf'id="{name}" name="{name}" maxlength="{LIMITS[name]}"', page)


def test_a_published_comment_is_on_the_plain_page_with_a_reply_link(client, moderator):
    comment = posted(client, name=HOSTILE, website="https://example.org/")
    moderator.decide(comment, "approve")
    publish_all()
    page = client.get("/sites/demo/thread?thread=/harbour").text
    assert "The ferry was late again." in page
    assert 'rel="ugc nofollow noopener"' in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert f"reply={comment}" in page

    answering = client.get(f"/sites/demo/thread?thread=/harbour&reply={comment}").text
    assert f'name="parent" value="{comment}"' in answering


def test_a_thread_of_many_comments_has_pages_and_a_page_of_later_replies(client, moderator):
    tops = [
        posted(client, body=f"Comment number {number} of a long evening.") for number in range(26)
    ]
    for top in tops:
        moderator.decide(top, "approve")
    replies = [
        posted(client, parent=tops[-1], body=f"Reply number {number} to that.")
        for number in range(51)
    ]
    for reply in replies:
        moderator.decide(reply, "approve")
    publish_all()

    newest = client.get("/sites/demo/thread?thread=/harbour").text
    assert "77 comments" in newest
    assert "Comment number 0 of" not in newest
    assert "Reply number 50 to" not in newest
    assert "Comment number 0 of" in client.get(_link(newest, "Older comments")).text
    assert "Reply number 50 to" in client.get(_link(newest, "More replies")).text


def _link(page: str, words: str) -> str:
    (address,) = re.findall(rf'href="([^"]+)">{words}</a>', page)
    return unescape(address)


@pytest.mark.parametrize(
    "query", ["", "?thread=", "?thread=+++", f"?thread={'x' * 501}", "?thread=/a&replies=nobody"]
)
def test_an_address_that_leads_nowhere_is_a_page_that_says_so(client, query):
    answer = client.get(f"/sites/demo/thread{query}")
    assert answer.status_code == 404
    assert "Page not found" in answer.text


def test_a_site_that_is_not_known_is_a_page_that_says_so_in_the_readers_language(client):
    answer = client.get(
        "/sites/nobody/thread?thread=/a", headers={"Accept-Language": "de-CH,de;q=0.9"}
    )
    assert answer.status_code == 404
    assert '<html lang="de" dir="ltr">' in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "two", "9" * 5000])
def test_a_page_that_cannot_be_is_the_newest(client, page):
    assert (
        client.get(
            "/sites/demo/thread", query_string={"thread": "/harbour", "page": page}
        ).status_code
        == 200
    )


def test_the_form_is_shown_again_with_every_error_at_its_field_and_the_typed_text(send):
    answer = send(name=" ", email="ann", website="example", body=HOSTILE)
    assert answer.status_code == 422
    page = answer.text
    for field in ("name", "email", "website"):
        assert f'aria-describedby="{field}-error"' in page
        assert f'id="{field}-error"' in page
    assert 'value="ann"' in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert 'class="error" role="alert"' in page


def test_errors_are_in_the_language_of_the_form(send):
    page = send(lang="de", name="", email="ann", body="x" * 10_001).text
    assert "Bitte füllen Sie dieses Feld aus." in page
    assert "Eine E-Mail-Adresse sieht so aus: name@example.org." in page
    assert "Höchstens 10000 Zeichen, bitte." in page


def test_an_error_without_a_field_is_shown_above_the_form(send):
    page = send(url="https://elsewhere.example/harbour").text
    assert "This URL is not on one of the site's origins." in unescape(page)


def test_an_accepted_form_leads_to_what_happens_next_and_keeps_the_language(client, send):
    answer = send(lang="ar")
    assert answer.status_code == 303
    assert answer.location.startswith("/sites/demo/receipts/")
    page = client.get(answer.location)
    assert '<html lang="ar" dir="rtl">' in page.text
    assert '<meta http-equiv="refresh" content="2">' in page.text


def test_the_status_page_stops_reloading_once_the_comment_is_settled(client, send):
    receipt = send().location
    screen_all()
    page = client.get(receipt).text
    assert "http-equiv" not in page
    assert "/sites/demo/thread?thread=/harbour" in page


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("spam", "because_spam"), ("abuse", "because_abuse"), ("other", "because_rules")],
)
def test_a_rejection_gives_its_reason_in_the_readers_language(
    client, moderator, send, reason, sentence
):
    receipt = send(lang="ar").location
    comment = receipt.rpartition("/")[2].partition(".")[0]
    moderator.decide(comment, "reject", reason=reason)
    assert read_words("ar").pages[sentence] in client.get(receipt).text


@pytest.mark.parametrize("receipt", ["x", "01890000-0000-7000-8000-000000000000.AAAA"])
def test_a_receipt_that_is_not_ours_is_not_found(client, receipt):
    assert client.get(f"/sites/demo/receipts/{receipt}").status_code == 404


def test_a_link_back_leads_only_to_the_sites_own_pages(client):
    ours = client.get(
        "/sites/demo/thread", query_string={"thread": "/a", "url": "https://paper.example/a"}
    ).text
    theirs = client.get(
        "/sites/demo/thread", query_string={"thread": "/a", "url": "https://evil.example/a"}
    ).text
    script = client.get(
        "/sites/demo/thread", query_string={"thread": "/a", "url": "javascript:alert(1)"}
    ).text
    assert 'href="https://paper.example/a"' in ours
    redirecting = {"thread": "/a", "url": "https://paper.example/a?next=//evil.example&p=1"}
    assert (
        'href="https://paper.example/a?p=1"'
        in client.get("/sites/demo/thread", query_string=redirecting).text
    )
    assert "Back to the article" not in theirs
    assert "Back to the article" not in script


@pytest.mark.parametrize("path", ["/sites/demo/thread?thread=/a", "/sites/nobody/thread", "/demo"])
def test_no_page_runs_an_inline_script_or_style_or_sets_a_cookie(client, path):
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "Set-Cookie" not in answer.headers
    assert not re.search(r"<style|<script(?! type=\"module\" src=)| style=| on\w+=", answer.text)


def test_the_demo_article_names_its_address_and_carries_the_embed_with_a_way_without_it(client):
    page = client.get("/demo").text
    assert re.search(r'<link rel="canonical" href="http://[^"]+/demo">', page)
    assert '<greenroom-comments site="demo" lang="en"></greenroom-comments>' in page
    assert '<script type="module" src="/embed.js"></script>' in page
    assert re.search(r'<noscript><p><a href="/sites/demo/thread\?thread=/demo', page)
    assert not re.search(r'(?:src|href)="https?://(?!127\.0\.0\.1)', page)


@pytest.mark.parametrize(
    "name", ["embed/pages.css", "embed/demo.css", "embed/demo.svg", "embed/locales/ar.json"]
)
def test_the_files_of_the_pages_are_served(client, name):
    assert client.get(f"/{name}").status_code == 200


@pytest.mark.parametrize(
    "name", ["embed/embed.py", "embed/locales/xx.json", "embed/locales/..%2fen.json"]
)
def test_no_other_file_is_served(client, name):
    assert client.get(f"/{name}").status_code == 404
