"""Rendering text that a reader typed, without letting anything harmful in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.markdown import links, render


@pytest.mark.parametrize(
    "address",
    [
        "//casino.example/x",
        "https:///casino.example/x",  # browsers accept a missing or an extra slash and go there
        "http:/casino.example",
        "https:casino.example",
        "https://%63asino.example/",
        "https://ann@casino.example/",
        "https://:@casino.example/",
        "https://1.2.3.4.5/",
        "/console/",  # it would lead elsewhere on every page that shows the comment
        "?page=2",
    ],
)
def test_only_a_url_that_shows_its_host_becomes_a_link(address: str) -> None:
    """The checks, and people who read the log, see the host that a browser would open."""
    assert "<a" not in render(f"[bonus]({address}) {address}")


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("# not a heading", "<p># not a heading</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        (
            "https://a.example/b",
            (
                '<p><a href="https://a.example/b" rel="ugc nofollow '
                'noopener">https://a.example/b</a></p>'
            ),
        ),
        ("[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>"),
        ("[x](JaVaScript:alert(1))", "<p>[x](JaVaScript:alert(1))</p>"),
    ],
)
def test_a_small_set_of_markdown_is_rendered(typed: str, html: str) -> None:
    assert render(typed) == html


@pytest.mark.parametrize(
    "typed",
    [
        "[x]( )", "[x]()", "[x](<>)", '[x]( "title")', "[](http://x.example)", "[ ](http://x.example)",
        "[\u200b](http://x.example)", "[&#8203;](http://x.example)", "[&nbsp;](http://x.example)",
        "[**\u2060**](http://x.example)", "[`\u2800`](http://x.example)", "[\u3164](http://x.example)",
        "[\\\n](http://x.example)", "[\u0301](http://x.example)", "[\u034f\ufe0f](http://x.example)",
        "[\U000e0041](http://x.example)", "[*\u200b*](http://x.example)",
    ],
)  # fmt: skip
def test_a_link_that_leads_nowhere_or_shows_nothing_stays_as_typed(typed: str) -> None:
    html = render(typed)
    assert "<a" not in html
    assert "[" in html
    assert "](" in html


def test_a_host_in_punycode_is_shown_as_it_was_typed() -> None:
    """Decoded, this one would look like apple.example."""
    assert ">https://xn--80ak6aa92e.example/<" in render("https://xn--80ak6aa92e.example/")


def test_a_link_beside_an_unseen_one_stays_a_link() -> None:
    html = render("[a](https://a.example) [](https://b.example) [c](https://c.example)")
    assert links(html) == ["https://a.example", "https://c.example"]


@pytest.mark.parametrize(
    ("typed", "href"),
    [
        ("https://Bücher.example/ü?ä=%20", "https://xn--bcher-kva.example/%C3%BC?%C3%A4=%20"),
        ("https://a.example?x=%20", "https://a.example/?x=%20"),
        ("http://A.example:80/?a=1&b=2", "http://a.example/?a=1&b=2"),
        ("http://a.example./", "http://a.example/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
    ],
)
def test_a_link_is_published_as_the_parser_writes_it(typed: str, href: str) -> None:
    assert links(render(f"[here]({typed})")) == [href]


@given(
    st.text(
        alphabet=st.sampled_from(list("<>&\"'`*_[]()!-#> \n\\/:;=aeijorcspt\u202e")), max_size=200
    )
)
def test_typed_text_never_becomes_markup(typed: str) -> None:
    html = render(typed)
    for forbidden in ("<script", "<img", "<iframe", "<style", "onerror", "javascript:"):
        assert f"<{forbidden.strip('<')}" not in html
    assert 'href="javascript' not in html.lower()


def test_a_text_with_too_many_signs_is_shown_as_it_was_typed() -> None:
    assert render("a*b" * 2000) == f"<p>{'a*b' * 2000}</p>"
    assert render("- a\n" * 600).startswith("<p>- a<br>- a<br>")
    assert render("<b>&" * 1000).startswith("<p>&lt;b&gt;&amp;&lt;b&gt;")
    assert render("> a\n\n" * 100).count("<blockquote>") == 100
    assert "<a " not in render("<http://a.example>" * 501)


@pytest.mark.parametrize(
    "opening", ["http://[", "ftp://a ", "*[*[", "[", "![", "//a.b ", "_*", "~~a", "`a"]
)
def test_thousands_of_openings_are_shown_as_typed(opening: str) -> None:
    html = render((opening * 10_000)[:9_990])
    assert "<a " not in html
    assert "<em>" not in html
    assert len(html) < 20_000
