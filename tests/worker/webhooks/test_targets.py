"""Where a webhook may go: a URL is split, or refused with a sentence for the person who typed
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from models.settings import settings
from worker.webhooks.targets import Refused, Target, check, target


@pytest.fixture
def set_env(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        settings.cache_clear()

    settings.cache_clear()
    yield change
    settings.cache_clear()


@pytest.fixture
def private(set_env: Callable[[str, str], None]) -> None:
    set_env("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://example.org", Target("https", "example.org", 443, "/")),
        ("https://example.org/hook?a=1&b", Target("https", "example.org", 443, "/hook?a=1&b")),
        ("HTTPS://Example.ORG:443/Hook", Target("https", "example.org", 443, "/Hook")),
        ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443, "/")),
        (
            "https://[2606:4700::1111]/",
            Target("https", "2606:4700::1111", 443, "/"),
        ),
    ],
)
def test_a_url_is_taken_apart(url: str, found: Target) -> None:
    assert target(url) == found


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/", "must begin with https://"),
        ("example.org", "must begin with https://"),
        ("https://exa mple.org/", "no spaces"),
        ("https://example.org\\@evil.example/", "no spaces"),
        ("https://example.org/\x7f", "no spaces"),
        ("https://", "not a valid URL"),
        ("https://ann:secret@example.org/", "must not contain a user name or password"),
        ("https://example.org/#part", "must not contain a #fragment"),
        ("https://example.org/#", "must not contain a #fragment"),
        ("http://example.org/", "must use https"),
        ("https://example.org:22/", "must use port 80 and 443, not 22"),
        ("https://127.0.0.1/", "127.0.0.1 is not a public address (loopback)"),
        ("https://[::1]/", "::1 is not a public address (loopback)"),
        ("https://134744072/", "Write an IPv4 address as four numbers"),  # 8.8.8.8 as one number
    ],
)
def test_a_refusal_is_a_sentence(url: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        target(url)
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(("length", "fits"), [(2000, True), (2001, False)])
def test_a_url_has_at_most_2000_characters(length: int, fits: bool) -> None:
    start = "https://example.org/"
    url = start + "x" * (length - len(start))
    if fits:
        assert target(url).path == "/" + url.removeprefix(start)
    else:
        with pytest.raises(Refused, match="at most 2000 characters"):
            target(url)


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://127.0.0.1:8000/hook", "127.0.0.1:8000"),
        ("http://localhost/hook", "localhost"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_for_development_a_private_address_is_allowed(url: str, authority: str) -> None:
    assert target(url).authority == authority


@pytest.mark.usefixtures("private")
def test_even_for_development_credentials_are_not() -> None:
    with pytest.raises(Refused, match="must not contain a user name or password"):
        target("http://ann:secret@localhost/")


def test_the_port_belongs_to_the_authority_unless_it_is_the_schemes_own() -> None:
    assert target("https://example.org:443/").authority == "example.org"
    assert target("https://example.org:80/").authority == "example.org:80"


@pytest.mark.parametrize("text", ["10.0.0.1", "fe80::1", "169.254.169.254"])
def test_a_resolved_address_is_checked_like_a_typed_one(text: str) -> None:
    with pytest.raises(Refused, match="is not a public address"):
        check(ip_address(text))


@pytest.mark.usefixtures("private")
def test_for_development_a_resolved_address_may_be_private() -> None:
    check(ip_address("10.0.0.1"))
