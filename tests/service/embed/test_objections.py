"""Reporting and notices without JavaScript, as a browser does it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from models.locales.languages import languages
from models.locales.words import read_words
from models.records.notice import CATEGORIES
from models.records.report import REASONS
from service.embed.objections import SHOWN_CATEGORIES
from tests.caller import Answer, Caller, Client, posted, publish_all, screen_all

HOSTILE = "<script>alert(1)</script>\"'"
NOTICE = {
    "explanation": "It calls for violence.",
    "category": "VIOLENCE",
    "name": "Eve",
    "email": "eve@example.org",
    "good_faith": "1",
}


@pytest.fixture
def published(client: Client) -> str:
    comment = posted(client)
    screen_all()
    publish_all()
    return comment


def send(client: Client, path: str, *, by: str = "127.0.0.1", **fields: Any) -> Answer:
    """Load the form and send it, like a browser without JavaScript."""
    base = {"REMOTE_ADDR": by}
    page = client.get(path, environ_base=base).text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    return client.post(
        path,
        data=urlencode({**hidden, **fields}),
        content_type="application/x-www-form-urlencoded",
        environ_base=base,
    )


def test_a_reader_reports_a_comment_from_the_thread(
    client: Client, moderator: Caller, published: str
) -> None:
    thread = client.get("/sites/demo/thread?thread=/harbour").text
    path = f"/sites/demo/comments/{published}/report"
    assert f'href="{path}"' in thread
    page = client.get(path).text
    assert "The ferry was late again." in page
    for reason in REASONS:
        assert f'value="{reason}"' in page
    sent = send(client, path, reason="threat", text="Look at the second line.")
    assert sent.status_code == 303
    receipt = sent.headers["Location"]
    assert "A moderator will look at the comment." in client.get(receipt).text
    moderator.decide(published, "reject")
    assert "The comment was removed." in client.get(receipt).text


def test_a_wrong_form_comes_back_with_its_text_and_its_errors(
    client: Client, published: str
) -> None:
    path = f"/sites/demo/comments/{published}/report"
    answer = send(client, path, text=HOSTILE)
    assert answer.status_code == 422
    assert "Choose a reason." in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text


def test_another_site_cannot_send_the_forms_from_its_visitors_browsers(
    client: Client, moderator: Caller, published: str
) -> None:
    path = f"/sites/demo/comments/{published}/report"
    page = client.get(path, environ_base={"REMOTE_ADDR": "203.0.113.5"}).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    for token in ("", "x", "x" * 5000, found[1]):
        answer = client.post(path, data={"reason": "spam", "token": token})
        assert answer.status_code == 403
        assert "This form has expired." in answer.text
        sent = client.post("/sites/demo/notice", data={**NOTICE, "token": token})
        assert sent.status_code == 403
    assert moderator.record(published)["reports"]["open"] == 0


def test_the_report_form_of_a_comment_that_is_not_published_is_no_page(client: Client) -> None:
    waiting = posted(client)
    for comment in (waiting, "x", "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"):
        assert client.get(f"/sites/demo/comments/{comment}/report").status_code == 404
        assert send(client, f"/sites/demo/comments/{comment}/report").status_code == 404


def test_a_notice_goes_from_the_form_to_its_outcome(
    client: Client, moderator: Caller, published: str
) -> None:
    path = f"/sites/demo/notice?comment={published}"
    assert "The ferry was late again." in client.get(path).text
    sent = send(client, path, **NOTICE)
    assert sent.status_code == 303
    receipt = sent.headers["Location"]
    page = client.get(receipt).text
    assert "We have received your notice." in page
    assert "We will decide by" in page
    moderator.decide(published, "approve")
    page = client.get(receipt).text
    assert "The comment stays published." in page
    assert "out-of-court" in page


def test_a_notice_without_its_fields_names_each(client: Client, published: str) -> None:
    answer = send(client, "/sites/demo/notice")
    assert answer.status_code == 422
    for field in ("comment", "category", "explanation", "name", "email", "good_faith"):
        assert f'id="{field}-error"' in answer.text, field


def test_a_notice_about_nothing_says_so(client: Client) -> None:
    nobody = "0195511c-6a20-7c3e-9d41-3f1f0a6b52c7"
    answer = send(client, "/sites/demo/notice", comment=nobody, **NOTICE)
    assert answer.status_code == 404
    assert "This comment is not published." in answer.text


@pytest.mark.parametrize("language", languages())
def test_every_language_has_words_for_every_reason_and_category(language: str) -> None:
    words = read_words(language).report
    assert words.keys() == read_words("en").report.keys()
    assert {*REASONS, *SHOWN_CATEGORIES} <= words.keys()
    assert set(SHOWN_CATEGORIES) == set(CATEGORIES) - {"OTHER_VIOLATION_TC"}
