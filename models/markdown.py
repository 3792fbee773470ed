"""A comment's Markdown as the HTML that readers get: rendered and sanitised once, when it is settled."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
SCHEMES = {"http", "https"}
MOST_MARKS, MOST_LINKS = 500, 50
MAX_NESTING = 50  # deeper quotes and lists than anyone writes are cut off
# A browser goes to a host from "https:///host", "http:/host" and "//host", too, where checks see none, or another as in
# "https://%68ost"; and an address without a host leads elsewhere from each page that shows the comment.
_NAMES_ITS_HOST = re.compile(r"https?://[^/?#%\\]+(?:[/?#]|$)", re.IGNORECASE)


def render(body: str) -> str:
    """HTML of the tags above and nothing else; links open with `rel="ugc nofollow noopener"`."""
    import nh3  # noqa: PLC0415 — the web process rarely renders

    return nh3.clean(
        _parser(is_ordinary=_is_ordinary(body), has_address="//" in body).render(body),
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="ugc nofollow noopener",
        strip_comments=True,
    ).strip()


def shown(body: str) -> str:
    """The words alone, as a reader sees them."""
    import nh3  # noqa: PLC0415

    return unescape(nh3.clean(render(body), tags=set()))


def _may_be_link(address: str) -> bool:
    """What may not stays as it was typed."""
    return _NAMES_ITS_HOST.match(address) is not None


def _is_ordinary(body: str) -> bool:
    """Whether the text may be searched for links and emphasis: thousands of openings take a parser half a second."""
    return sum(map(body.count, "[*_~`")) <= MOST_MARKS and body.count("//") <= MOST_LINKS


@cache
def _parser(*, is_ordinary: bool, has_address: bool) -> MarkdownIt:
    """Raw HTML is shown as typed, a line end is a line end, and a bare address becomes a link: looking for one takes
    most of a rendering's time, so nobody looks where none can be.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt("js-default", {"html": False, "linkify": True, "breaks": True, "maxNesting": MAX_NESTING})
    parser.disable(["image", "table", "heading", "lheading", "hr", "reference"])
    parser.validateLink = _may_be_link  # type: ignore[method-assign, assignment]
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    if not is_ordinary:
        parser.disable(["link", "emphasis", "strikethrough", "backticks"])
    return parser if is_ordinary and has_address else parser.disable("linkify")
