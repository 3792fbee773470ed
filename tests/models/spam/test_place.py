"""Which links lead away from the page that a comment stands below."""

import pytest

from models.spam.features import features, seen
from models.spam.place import Place

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


def test_where_nobody_said_where_a_comment_stands_every_link_is_a_strangers() -> None:
    text = "see https://paper.example.com/page"

    assert (features([text]) != features([text], [None])).nnz == 0
    assert (features([text]) != features([text], [Place()])).nnz == 0
    assert (features([text]) != features([text], [PAGE])).nnz > 0
