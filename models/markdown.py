"""A comment's Markdown as the HTML that readers get: rendered and sanitised once, when it is settled."""

from __future__ import annotations

from functools import cache

import nh3
from markdown_it import MarkdownIt

TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
SCHEMES = {"http", "https"}
MAX_NESTING = 50  # deeper quotes and lists than anyone writes are cut off


def render(body: str) -> str:
    """HTML of the tags above and nothing else; links open with `rel="ugc nofollow noopener"`."""
    return nh3.clean(
        _parser().render(body),
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="ugc nofollow noopener",
        strip_comments=True,
    ).strip()


@cache
def _parser() -> MarkdownIt:
    """Raw HTML is shown as typed, a line end is a line end, and a bare address becomes a link."""
    parser = MarkdownIt("js-default", {"html": False, "linkify": True, "breaks": True, "maxNesting": MAX_NESTING})
    parser.disable(["image", "table", "heading", "lheading", "hr", "reference"])
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    return parser
