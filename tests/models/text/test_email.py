"""Which texts can be an email address, and how they are normalised."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, EmailSyntaxError

from models.text.email import MOST_EMAIL, parsed_email


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann@EXAMPLE.org", "Ann@example.org"),  # only the domain ignores case
        ("ann+list@example.org", "ann+list@example.org"),
        ("ann@bücher.example.org", "ann@bücher.example.org"),
        ("ann@xn--bcher-kva.example.org", "ann@bücher.example.org"),
        ("用户@example.org", "用户@example.org"),
        ('"ann lee"@example.org', '"ann lee"@example.org'),
        ("ann@paper.test", "ann@paper.test"),  # reserved for tests, but accepted
    ],
)
def test_an_address_is_normalised(typed: str, kept: str) -> None:
    assert parsed_email(typed).normalized == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example",
        "ann@@example.org",
        "ann lee@example.org",
        "ann@exa mple.org",
        "ann@example..org",
        ".ann@example.org",
        "ann@-example.org",
        "ann@[192.0.2.7]",
        "Ann <ann@example.org>",
        "ann@localhost",
    ],
)
def test_a_text_that_is_no_address_is_refused_with_an_explanation(typed: str) -> None:
    with pytest.raises(EmailNotValidError) as refused:
        parsed_email(typed)
    assert str(refused.value).endswith(".")


def test_a_part_before_the_at_sign_has_at_most_64_characters() -> None:
    assert parsed_email("a" * 64 + "@example.org").local_part == "a" * 64
    with pytest.raises(EmailNotValidError):
        parsed_email("a" * 65 + "@example.org")


def test_a_text_that_is_far_too_long_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(EmailSyntaxError, match=f"at most {MOST_EMAIL} characters"):
        parsed_email("a@" + "b" * 10_000_000)


def test_the_domain_is_given_in_ascii_for_dns() -> None:
    assert parsed_email("ann@bücher.example.org").ascii_domain == "xn--bcher-kva.example.org"
