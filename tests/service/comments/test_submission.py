"""A reader's comment, field by field: what is stored, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from service.comments.submission import (
    MOST_TITLE,
    MOST_URL,
    Submission,
    thread_key,
    without_token,
)

FINE = {"thread": "/harbour", "name": "Ann", "email": "ann@example.org", "body": "Late again."}


def submitted(**fields: Any) -> Submission:
    return Submission.model_validate({**FINE, **fields})


def refusal(**fields: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        submitted(**fields)
    [error] = refused.value.errors()
    assert error["loc"] == tuple(fields)
    return str(error["msg"])


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        ("thread", " /harbour ", "/harbour"),
        ("name", "Ann\nLee", "Ann Lee"),
        ("name", "\u202eAnn", "Ann"),
        ("body", "one\r\ntwo", "one\ntwo"),
        ("email", " Ann@EXAMPLE.org ", "Ann@example.org"),
        ("website", "HTTPS://Example.ORG", "https://example.org/"),
        ("website", "https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("website", "  ", None),
        ("website", None, None),
        ("url", "https://paper.example/a", "https://paper.example/a"),
        ("url", "", None),
        ("title", " The harbour ", "The harbour"),
        ("title", "a" * (MOST_TITLE + 1), "a" * MOST_TITLE),  # shortened, not refused
        ("title", "\u200b", None),
        ("title", "b" + "\u0301" * 31, None),  # the reader cannot change the page's title
        ("parent", "", None),
        ("homepage_url", "", None),
        ("homepage_url", "https://spam.example", "https://spam.example"),
    ],
)
def test_fields_as_they_are_stored(field: str, sent: str | None, kept: str | None) -> None:
    assert getattr(submitted(**{field: sent}), field) == kept


@pytest.mark.parametrize(
    ("field", "sent", "words"),
    [
        ("thread", "", "This field is required."),
        ("thread", "x" * 501, "at most 500 characters"),
        ("name", " \u200b ", "This field is required."),
        ("name", "x" * 81, "at most 80 characters"),
        ("body", "\n\n", "This field is required."),
        ("body", "x" * 10_001, "at most 10,000 characters"),
        ("body", "a\0b", "This contains a NUL character. Remove it."),
        ("website", "https://a.example/\0", "This contains a NUL character. Remove it."),
        ("email", " ", "This field is required."),
        ("email", "ann", "This is not an email address: "),
        ("website", "example.org", "This is not a valid web address"),
        ("website", "javascript:alert(1)", "This is not a valid web address"),
        ("website", "https://ann@example.org/", "without a user name"),
        ("website", "https://a.example/b c", "This is not a valid web address"),
        ("website", "https://a.example/" + "x" * 500, "at most 500 characters"),
        # Short as it was typed, but too long in a browser's spelling.
        ("website", "https://a.example/" + "é" * 200, "after URL encoding"),
        ("url", "https://a.example/" + "x" * MOST_URL, "at most 2,000 characters"),
        ("url", "/harbour", "This is not a valid web address"),
        ("name", 7, "valid string"),
        ("body", None, "valid string"),
    ],
)
def test_wrong_fields_are_refused_with_a_message(field: str, sent: object, words: str) -> None:
    assert words in refusal(**{field: sent})


@pytest.mark.parametrize("field", FINE)
def test_four_fields_are_needed(field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Submission.model_validate({name: value for name, value in FINE.items() if name != field})
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


def test_a_field_that_we_do_not_know_is_ignored() -> None:
    assert submitted(phone="1234") == submitted()


def test_an_email_error_goes_on_after_a_colon_in_lower_case() -> None:
    message = refusal(email="ann@")
    reason = message.partition("email address: ")[2]
    assert reason[:1].islower()


@pytest.mark.parametrize("key", ["/a", "x" * 500, "https://paper.example/a", "日本"])
def test_a_thread_is_found_by_its_stored_key(key: str) -> None:
    assert thread_key(thread_key(key)) == key


@pytest.mark.parametrize("key", ["", "  ", "a\0", "\u200b", "x" * 501])
def test_a_thread_key_that_cannot_be_kept_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"required|NUL|too long"):
        thread_key(key)


def test_the_same_comment_with_another_token_is_the_same() -> None:
    first, second = submitted(token="a"), submitted(token="b")
    assert without_token(first) == without_token(second)
    assert without_token(submitted(body="Other")) != without_token(first)
