"""The check finds links in every spelling, and leaves alone what only looks like one."""

from __future__ import annotations

import pytest

from bench.fuzz.measuring import growth
from models.judgement.evidence import UNREAD, Evidence, Outcome
from models.judgement.policy import Policy, Verdict, decide
from tests.worker.checks.conftest import Comes
from worker.checks import links


@pytest.mark.parametrize(
    ("body", "count", "detail"),
    [
        ("Nothing to click here.", 0, "no links"),
        ("See https://shop.net/a", 1, "one link to shop.net"),
        ("See www.shop.net, please", 1, "one link to shop.net"),
        ("See [here](https://shop.net/a 'a title').", 1, "one link to shop.net"),
        # The label repeats the address: still one link.
        ("See [https://shop.net](https://shop.net/a).", 1, "one link to shop.net"),
        ("See <https://shop.net/a>", 1, "one link to shop.net"),
        ('<a href="http://shop.net/a">http://shop.net</a>', 1, "one link to shop.net"),
        ("[url=http://shop.net/a]http://shop.net[/url]", 1, "one link to shop.net"),
        ("[url]http://shop.net/a[/url]", 1, "one link to shop.net"),
        # Bare, but a browser would open it.
        ("pills at shop.net/cheap", 1, "one link to shop.net"),
        ("pills at cheap-pills.xyz today", 1, "one link to cheap-pills.xyz"),
        ("//shop.net/a", 1, "one link to shop.net"),
        ("Лучшие цены: магазин.рф", 1, "one link to магазин.рф"),
        # Disguised and plain.
        ("go to shop . com now", 1, "one link to shop.com"),
        ("go to shop[.]com now", 1, "one link to shop.com"),
        ("go to shop (dot) com now", 1, "one link to shop.com"),
        ("去 shop。com 看看", 1, "one link to shop.com"),
        ("hxxps://shop.net/a", 1, "one link to shop.net"),
        ("sh\u200bop.net/a", 1, "one link to shop.net"),
        # Several.
        ("https://a.net https://a.net/b", 2, "2 links to a.net"),
        ("https://a.net https://b.net https://a.net/c", 3, "3 links to 2 sites: a.net, b.net"),
        (
            " ".join(f"https://{n}.net" for n in "abcdef"),
            6,
            "6 links to 6 sites: a.net, b.net, c.net, d.net and 2 more",
        ),
        # Not links.
        ("mail ann@shop.net", 0, "no links"),
        ("see setup.py and README.md, e.g. on p. 4", 0, "no links"),
        ("It ended.So it goes. I did.it was fine", 0, "no links"),
        ("the dot com years, 3.14 or 1.000.000", 0, "no links"),
    ],
)
def test_links_are_counted(comes: Comes, body: str, count: int, detail: str) -> None:
    evidence = _look(comes, body)
    assert (evidence.score, evidence.counts["links"], evidence.detail) == (count, count, detail)
    assert evidence.outcome is (Outcome.FOUND if count else Outcome.CLEAR)


def test_links_to_the_site_itself_do_not_count(comes: Comes) -> None:
    evidence = _look(comes, "https://paper.example/a https://www.paper.example/b https://shop.net")
    assert evidence.counts == {"links": 1, "foreign": 1, "hosts": 2, "page": 0}
    assert _look(comes, "https://paper.example/a").detail == "links only to this site"


def test_a_link_to_the_comments_own_page_is_counted_however_it_is_spelled(comes: Comes) -> None:
    body = (
        "As it says in https://www.paper.example/ferry/?utm=x#map and "
        "https://paper.example/ferry, not /harbour"
    )
    assert _look(comes, body, page="https://paper.example/ferry").counts["page"] == 2
    assert _look(comes, body, page="https://paper.example/harbour").counts["page"] == 0


def test_a_site_that_only_ends_like_this_one_is_a_stranger(comes: Comes) -> None:
    assert _look(comes, "https://notpaper.example").counts["links"] == 1


@pytest.mark.parametrize(
    "body", ["http://bit.ly/x", "[x](https://t.co/a)", "tinyurl.com/abc", "is.gd/x"]
)
def test_a_shortener_hides_where_it_leads(comes: Comes, body: str) -> None:
    evidence = _look(comes, body)
    assert evidence.found["shortener"].endswith("hides the target of a link")
    assert decide([evidence], Policy()).verdict is Verdict.FLAG


def test_the_website_field_is_noted_but_is_not_one_of_the_links(comes: Comes) -> None:
    [evidence] = links.check([comes("Good.", website="https://ann.example/blog")])
    assert (evidence.score, evidence.detail) == (0, "no links; the author's website is ann.example")


def test_a_shortener_as_website_is_found(comes: Comes) -> None:
    [evidence] = links.check([comes("Good.", website="https://bit.ly/x")])
    assert evidence.found == {"shortener": "bit.ly hides the target of a link"}


@pytest.mark.parametrize(
    "url", ["http://[", "http://[::1]/", "https://\u2100.net", "//[x](y", "http://a.net:99999/"]
)
def test_a_broken_address_breaks_nothing(comes: Comes, url: str) -> None:
    _look(comes, f"see {url} and [a]({url})")


@pytest.mark.parametrize(
    "unit",
    [
        "a.b ",
        "a.b,",
        "<a href=a.b>",
        "[url]a.b",
        "[a](b.c ",
        "[",
        "[a](",
        "http://",
        "<a href=",
        "[url]",
        " . ",
        "a.com/(",
    ],
)
def test_the_cost_of_a_comment_grows_with_its_length_whatever_it_repeats(unit: str) -> None:
    found = growth(links.urls_of, lambda length: (unit * length)[:length], 8000, enough=1)
    assert found.is_bounded, found


@pytest.mark.parametrize(
    ("opening", "unit", "closing"),
    [
        ("<a ", "href=", " //"),  # 8 KB of this once took a minute
        ("<a ", "href=", "a" * 200 + " //"),
        ("<a ", "href= ", " a.com"),
        ("<a href=x", " href", ">//"),
        ("<a href=x>", "<a href=x>", "</a> //"),
        ("", "<a href=x>", "</a" + " " * 300 + "//"),
        ("[url=", "[url=", "] //"),
        ("", "[url]", "a.com[/url]"),
        ("[x](", "a", " //"),
        ("[", "[]", "(//a.com)"),
    ],
)
def test_the_cost_of_an_endless_match_grows_with_its_length(
    opening: str, unit: str, closing: str
) -> None:
    found = growth(
        links.urls_of,
        lambda length: opening + unit * (length // len(unit)) + closing,
        8000,
        enough=1,
    )
    assert found.is_bounded, found


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        ("<a href='http://a.com/x' title=y>b.com</a> c.com", ("http://a.com/x", "http://c.com")),
        (
            "<A class=x HREF=http://a.com>\nb.com</A > [URL=http://c.com]d.com[/Url]",
            ("http://a.com", "http://c.com"),
        ),
        (
            "<a href=http://a.com>one</a><a href=http://b.com>two</a>",
            ("http://a.com", "http://b.com"),
        ),
        ("<a href=http://a.com><a href=http://b.com>b</a>", ("http://a.com",)),
        (
            "[url]http://a.com[/url][url='http://b.com']c.com[/url]",
            ("http://a.com", "http://b.com"),
        ),
        ("[/url] [url]http://a.com", ("http://a.com",)),
        ("[ä](http://ä.com 'ö') ü", ("http://ä.com",)),
    ],
)
def test_of_a_link_in_markup_the_address_counts_and_not_its_label(
    body: str, urls: tuple[str, ...]
) -> None:
    assert links.urls_of(body) == urls


@pytest.mark.parametrize(
    "body",
    [
        "https://paper.example/a " * links.MOST_LINKS
        + "https://evil.example/",  # the site's own are not counted
        " ".join(f"a{number}.b" for number in range(links.MOST_RUNS + 1)),
    ],
)
def test_too_many_links_go_to_a_human(comes: Comes, body: str) -> None:
    evidence = _look(comes, body)
    assert evidence.found[UNREAD].startswith("too many links")
    generous = Policy.model_validate({"links": {"max_links": 1000}})
    assert decide([evidence], generous).verdict is Verdict.FLAG


@pytest.mark.parametrize(
    "body", ["1.5 2.25 " * 1000, "So it goes. " * 500, "https://a.net " * links.MOST_LINKS]
)
def test_a_text_of_ordinary_size_is_read_to_its_end(comes: Comes, body: str) -> None:
    assert UNREAD not in _look(comes, body).found


def test_a_long_run_of_ideographs_is_looked_at_to_its_end(comes: Comes) -> None:
    assert _look(comes, "今天天气很好。" * 1000 + "https://shop.net/").counts["links"] == 1


def test_addresses_in_one_run_are_all_found(comes: Comes) -> None:
    assert _look(comes, "http://a.net/http://b.net/").counts["links"] == 1
    body = "".join(f"http://a{number}.net/" for number in range(20))
    assert _look(comes, body).counts["links"] == 20


def _look(comes: Comes, body: str, **more: str) -> Evidence:
    [evidence] = links.check([comes(body, **more)])
    return evidence


def test_no_top_level_domain_is_passed_over() -> None:
    assert all(links._MAY_BE_A_LINK.search(f"shop.{domain}") for domain in links._TOP_LEVELS)


def test_email_addresses_in_a_run_hide_no_link(comes: Comes) -> None:
    [evidence] = links.check([comes("a@b.c,a.b.c@d,shop.com,x@y")])
    assert evidence.counts["links"] == 1
