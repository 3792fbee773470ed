"""URLs are read as a browser reads them, in every spelling."""

from __future__ import annotations

from time import process_time

import pytest

from models.text import urls

# (typed text, the host that a browser opens, or "" if it opens none). tests/browser/test_urls.py
# compares with a real browser, too.
SPELLINGS = [
    ("https://evil.example/", "evil.example"),
    ("https://EVIL.example", "evil.example"),
    ("HTTPS://evil.example:443/x", "evil.example"),
    ("http://evil.example:80", "evil.example"),
    ("http://evil.example.:8080/", "evil.example"),
    ("https://evil.example\\@paper.org/", "evil.example"),
    ("https://evil.example/\\@paper.org/", "evil.example"),
    ("https://evil.example\\.paper.org/", "evil.example"),
    ("https://evil.example?@paper.org/", "evil.example"),
    ("https://evil.example#@paper.org/", "evil.example"),
    ("https://paper.org@evil.example/", "evil.example"),
    ("https://paper.org:x@evil.example/", "evil.example"),
    ("https://paper.org%2f@evil.example/", "evil.example"),
    ("https://:@evil.example/", "evil.example"),
    ("https://@evil.example/", "evil.example"),
    ("https://a@b@evil.example/", "evil.example"),
    ("https://%65vil.example/", "evil.example"),
    ("https://evil%2eexample/", "evil.example"),
    ("https://ev\til.exa\nmple/", "evil.example"),
    ("https://ev\u200bil.example/", "evil.example"),
    ("https://ev\u00adil.example/", "evil.example"),
    ("https://evil。example/", "evil.example"),
    ("https://evil．example/", "evil.example"),
    ("https://evil｡example/", "evil.example"),
    ("https://ｅｖｉｌ.example/", "evil.example"),
    ("https://ⓔⓥⓘⓛ.example/", "evil.example"),
    ("https://𝐞𝐯𝐢𝐥.example/", "evil.example"),
    ("https:evil.example", "evil.example"),
    ("https:/evil.example", "evil.example"),
    ("https:///evil.example", "evil.example"),
    ("https:\\\\evil.example", "evil.example"),
    ("https://bücher.example/", "xn--bcher-kva.example"),
    ("https://BÜCHER.example/", "xn--bcher-kva.example"),
    ("https://bu\u0308cher.example/", "xn--bcher-kva.example"),
    ("https://faß.example/", "xn--fa-hia.example"),
    ("http://127.0.0.1/", "127.0.0.1"),
    ("http://127.1/", "127.0.0.1"),
    ("http://0x7f.1/", "127.0.0.1"),
    ("http://0177.0.0.1/", "127.0.0.1"),
    ("http://2130706433/", "127.0.0.1"),
    ("http://①②⑦.0.0.1/", "127.0.0.1"),
    ("http://127.0.0.1./", "127.0.0.1"),
    ("http://[0:0:0:0:0:0:0:1]/", "::1"),
    ("http://[::ffff:1.2.3.4]/", "::ffff:102:304"),
    ("http://ev_il.example/", "ev_il.example"),
    # No browser opens these.
    ("https://", ""),
    ("https:///", ""),
    ("https://evil.example:99999/", ""),
    ("https://evil.example:x/", ""),
    ("https://ev%2fil.example/", ""),
    ("https://ev%00il.example/", ""),
    ("https://ev<il.example/", ""),
    ("https://[::1/", ""),
    ("https://[evil.example]/", ""),
    ("http://1.2.3.4.5/", ""),
    ("http://256.1.1.1/", ""),
]


@pytest.mark.parametrize(("typed", "host"), SPELLINGS)
def test_a_url_has_the_host_that_a_browser_opens(typed: str, host: str) -> None:
    found = urls.parse(typed)
    assert (found.host if found else "") == host


@pytest.mark.parametrize("typed", [typed for typed, _ in SPELLINGS])
def test_a_published_url_shows_the_same_host(typed: str) -> None:
    """This holds even for a program that splits URLs in the simplest way."""
    found = urls.link(typed)
    if found is not None:
        authority = found.href.split("/")[2]
        assert authority == found.authority
        assert urls.parse(found.href) == found


@pytest.mark.parametrize(
    "typed",
    [
        "https://ann@evil.example/", "https://:x@evil.example/", "https://@evil.example/", "https://:@evil.example/",
        "https:evil.example", "https:/evil.example", "https:///evil.example", "https:\\\\evil.example",
        "//evil.example", "evil.example", "ftp://evil.example/", "javascript:alert(1)", "data:,x", "mailto:a@b.c",
        "https://evil..example/", "https://.evil.example/", "https://evil.example../", "https://.", "https://evil.example:0/",
        "https://a b/",
        "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/",
        "https://a.example/" + "a" * urls.LONGEST, "https://\udc00.example/", "", " ",
    ],
)  # fmt: skip
def test_a_url_that_hides_its_host_or_names_a_user_is_no_link(typed: str) -> None:
    assert urls.link(typed) is None


@pytest.mark.parametrize(
    ("typed", "href"),
    [
        ("https://ann.example", "https://ann.example"),
        ("https://ann.example/", "https://ann.example/"),
        ("https://Ann.example", "https://ann.example/"),
        ("https://ann.example/a/../b?q=ü#x", "https://ann.example/b?q=%C3%BC#x"),
        ('https://ann.example/"><b>', "https://ann.example/%22%3E%3Cb%3E"),
        ("https://ann.example/\u202egnp.exe", "https://ann.example/%E2%80%AEgnp.exe"),
    ],
)
def test_a_link_is_published_as_the_parser_writes_it(typed: str, href: str) -> None:
    found = urls.link(typed)
    assert found is not None
    assert found.href == href


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://paper.example/a?p=1&next=//evil.example#x", "https://paper.example/a?p=1"),
        ("https://paper.example/?id=2&p=1&p=3", "https://paper.example/?p=1&id=2"),
        ("https://paper.example/?%70=1&P=2", "https://paper.example/?%70=1"),
        ("https://Paper.example:443/a/../b", "https://paper.example/b"),
        ("https://paper.example?utm_source=x", "https://paper.example/"),
        ("https://ann@paper.example/", None),
        ("/a?p=1", None),
    ],
)
def test_a_pages_address_keeps_only_the_parameters_that_name_a_page(
    typed: str, address: str | None
) -> None:
    assert urls.page_address(typed, ("p", "id")) == address


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("evil.example/x", "evil.example"),
        ("//evil.example/x", "evil.example"),
        ("evil.example:8080/https://paper.org", "evil.example"),
        ("ftp://evil.example/x", "evil.example"),
        ("Evil。example", "evil.example"),
        ("[::1]/x", "::1"),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_a_host_is_found_without_a_scheme(typed: str, host: str) -> None:
    assert urls.host_of(typed) == host


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (
            "see https://evil.example, (http://b.example) and hxxp://c.example",
            ["evil.example", "b.example"],
        ),
        ("xHTTPS://%65vil.example/a b", ["evil.example"]),
        ("[x](https://ann@evil.example/)", ["evil.example"]),
        ("**https://evil.example\\@paper.org**", ["evil.example"]),
        ("://", []),
        ("http://", []),
    ],
)
def test_urls_are_found_in_a_text(text: str, hosts: list[str]) -> None:
    assert [url.host for url in urls.typed_in(text)] == hosts


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("shop.example", "shop.example"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("xn--80aairftm.xn--p1ai", "магазин.рф"),
        (
            "xn--80ak6aa92e.example",
            "xn--80ak6aa92e.example",
        ),  # Cyrillic letters that look like "apple"
    ],
)
def test_a_host_is_shown_in_its_own_letters_unless_it_poses_as_another(
    host: str, shown: str
) -> None:
    assert urls.shown(host) == shown


@pytest.mark.parametrize(
    "part", ["ü", "%61", "a.", "a/../", "@", "\\", "?", "http://", "[", "u\u0307", "xn--"]
)
def test_the_time_that_a_url_takes_grows_with_its_length(part: str) -> None:
    def seconds(length: int) -> float:
        typed = [f"http://{n}{part * length}"[: urls.LONGEST] for n in range(50)]
        began = process_time()
        for text in typed:
            urls.parse(text)
            urls.link(text)
            list(urls.typed_in(text))
        return process_time() - began

    short = len(part) and (urls.LONGEST // len(part) // 4)
    fastest = [min(seconds(length) for _ in range(3)) for length in (short, 4 * short)]
    assert fastest[1] < 12 * fastest[0] + 0.05
