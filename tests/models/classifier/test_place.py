"""Which links lead away from the page that a comment stands below."""

import pytest

from models.classifier.features import features, seen
from models.classifier.place import Place, away, is_same, on_site
from models.classifier.text import read

PAGE = Place(
    page=["https://tube.example.com/watch?v=abc", "https://tu.example.com/abc"],
    site=["paper.example.com"],
)


@pytest.mark.parametrize(
    "link",
    [
        "https://tube.example.com/watch?v=abc",
        "http://www.tube.example.com/watch?v=abc&t=2m19s",
        "http://www.tube.example.com/watch?t=139&amp;v=abc",
        "https://m.tube.example.com/watch?v=abc#comments",
        "tube.example.com/watch?v=abc.",
        "tu.example.com/abc",
        "https://paper.example.com/another/page",
        "www.paper.example.com",
        "blog.paper.example.com/x",
    ],
)
def test_a_link_to_its_own_page_or_site_is_no_link(link: str) -> None:
    assert [token.text for token in seen(f"see {link} there", PAGE)] == ["see", "there"]


@pytest.mark.parametrize(
    "link",
    [
        "https://tube.example.com/watch?v=xyz",
        "https://tube.example.com/",
        "https://tube.example.com/channel?v=abc",
        "https://notpaper.example.com",
        "https://paper.example.com.example.ru",
        "https://paper.example.com@example.ru/",
        "http://[x.example.com/abc",
    ],
)
def test_every_other_link_leads_away(link: str) -> None:
    assert "link" in {token.kind for token in seen(f"see {link} there", PAGE)}


def test_a_site_at_www_dot_com_does_not_own_every_com() -> None:
    place = Place(site=["www.com"])
    assert "link" in {token.kind for token in seen("see shop.com there", place)}


def test_without_a_page_every_link_leads_away() -> None:
    text = "see https://paper.example.com/page"

    assert (features([text]) != features([text], [None])).nnz == 0
    assert (features([text]) != features([text], [Place()])).nnz == 0
    assert (features([text]) != features([text], [PAGE])).nnz > 0


@pytest.mark.parametrize(
    ("url", "page", "is_the_page"),
    [
        ("https://paper.example/a", "https://paper.example/a", True),
        ("http://www.paper.example/a/", "https://paper.example/a", True),
        ("https://m.paper.example/a#comments", "https://paper.example/a", True),
        ("paper.example/a", "https://paper.example/a", True),
        ("https://paper.example/a?utm=x", "https://paper.example/a", True),  # who shared it
        ("https://paper.example/a?v=1&t=30", "https://paper.example/a?v=1", True),
        ("https://paper.example/a?v=2", "https://paper.example/a?v=1", False),
        ("https://paper.example/a", "https://paper.example/a?v=1", False),
        ("https://paper.example/b", "https://paper.example/a", False),
        ("https://other.example/a", "https://paper.example/a", False),
    ],
)
def test_a_page_is_the_same_however_its_address_is_spelled(
    url: str, page: str, is_the_page: bool
) -> None:
    assert is_same(url, page) is is_the_page


def test_text_without_links_is_left_as_it_is() -> None:
    tokens = read("Nothing to see here.")

    assert away("Nothing to see here.", tokens, PAGE) == tokens


def test_only_the_links_home_are_left_out() -> None:
    text = "See https://paper.example/a and https://other.example/a now"
    left = away(text, read(text), Place(site=["paper.example"]))

    assert [token.text for token in left if token.kind == "link"] == ["other.example"]
    assert len(left) == len(read(text)) - 1


def test_a_site_has_the_hosts_of_its_origins() -> None:
    assert on_site(["https://www.paper.example:8443", "http://blog.example"]) == Place(
        site=["paper.example", "blog.example"]
    )
