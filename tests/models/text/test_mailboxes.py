"""The domains where most readers have their mail."""

from __future__ import annotations

import pytest

from models.text.email import parsed_email
from models.text.mailboxes import FREE_MAILBOXES, SUGGESTED_DOMAINS


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.com", "yahoo.fr", "outlook.de", "qq.com"])
def test_a_provider_is_free_in_every_country(domain: str) -> None:
    assert domain in FREE_MAILBOXES
    assert domain in SUGGESTED_DOMAINS


def test_a_mailbox_that_comes_with_a_line_to_the_internet_is_not_free() -> None:
    assert "comcast.net" in SUGGESTED_DOMAINS
    assert "comcast.net" not in FREE_MAILBOXES


def test_short_names_are_never_suggested() -> None:
    assert not {"me.com", "mail.com", "bk.ru"} & set(SUGGESTED_DOMAINS)


def test_every_domain_is_listed_once_and_spelled_as_in_an_address() -> None:
    assert len(SUGGESTED_DOMAINS) == len(set(SUGGESTED_DOMAINS))
    for domain in FREE_MAILBOXES.union(SUGGESTED_DOMAINS):
        assert parsed_email(f"ann@{domain}").ascii_domain == domain
