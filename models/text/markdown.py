"""Render a comment's Markdown to the sanitised HTML that readers get, once, when the comment is
settled.
"""

from __future__ import annotations

from functools import cache, lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING

from models.text.cleaning import is_blank
from models.text.urls import link

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
SCHEMES = {"http", "https"}
MOST_MARKS, MOST_LINKS, MOST_TRIED = 500, 50, 20_000
# More stops or lines than these cost a parser as much as a hundred comments. Such a text is shown
# as it was typed.
MOST_STOPS, MOST_LINES = 1500, 500
_STOPS = "$%&*+-:<=>@[\\]^_`{}~!#|"  # characters at which a Markdown parser stops to look
MAX_NESTING = 50  # quotes and lists nested deeper than this are cut off; nobody writes them
_HREF = 'href="'


@lru_cache(maxsize=64)
def render(body: str) -> str:
    """Return HTML of the tags above and nothing else; links have `rel="ugc nofollow noopener"`.

    The result is remembered, because a screening asks for it several times.
    """
    import nh3  # noqa: PLC0415 — the web process rarely renders

    return nh3.clean(
        as_typed(body)
        if _is_dense(body)
        else _parser(is_ordinary=_is_ordinary(body), has_address="//" in body).render(body),
        tags=TAGS,
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="ugc nofollow noopener",
        strip_comments=True,
    ).strip()


def as_typed(body: str) -> str:
    """Return the text without interpreting Markdown, for a comment that could not be rendered."""
    return f"<p>{escape(body, quote=False)}</p>".replace("\n", "<br>")


def shown(body: str) -> str:
    """Return only the words, as a reader sees them."""
    if _is_dense(body):
        return body.replace("\n", "")  # the same words as `words_of` finds, in a fifth of the time
    return words_of(render(body))


def words_of(rendered: str) -> str:
    """Return the words in the HTML that `render` made."""
    import nh3  # noqa: PLC0415

    return unescape(nh3.clean(rendered, tags=set()))


def links(rendered: str) -> list[str]:
    """Return the addresses of the links in the HTML that `render` made."""
    if "<a " not in rendered:
        return []
    return [unescape(part.partition('"')[0]) for part in rendered.split(f"<a {_HREF}")[1:]]


def _href(address: str) -> str:
    """Return the address that a link publishes; "" if the link stays as it was typed.

    An address that hides its host behind "%" or a backslash is refused, although browsers
    understand it.
    """
    url = link(address)
    return url.href if url and not _hides_its_host(address) else ""


def _hides_its_host(address: str) -> bool:
    host = address.split("/", 3)[2].partition("?")[0].partition("#")[0]
    return "%" in host or "\\" in host


def _without_unseen_links(state: StateCore) -> None:
    """Replace links that lead nowhere or show nothing by the text that was typed."""
    for block in state.tokens:
        if block.children and any(token.type == "link_open" for token in block.children):
            _unlink_unseen(block.children)


def _unlink_unseen(tokens: list[Token]) -> None:
    opened, shown_since = None, False
    for token in tokens:
        if token.type == "link_open":
            opened, shown_since = token, False
        elif token.type == "link_close" and opened is not None:
            href = str(opened.attrs.get("href", ""))
            if not (href and shown_since):
                for end, text in ((opened, "["), (token, f"]({href})")):
                    end.type, end.tag, end.content, end.nesting = "text", "", text, 0
            opened = None
        elif token.type in _WITH_TEXT:
            shown_since = shown_since or not is_blank(token.content)


_WITH_TEXT = {"text", "text_special", "code_inline"}


def _is_dense(body: str) -> bool:
    return len(body) > MOST_LINES and (
        body.count("\n") > MOST_LINES or sum(map(body.count, _STOPS)) > MOST_STOPS
    )


def _is_ordinary(body: str) -> bool:
    """Whether the text may be searched for links and emphasis: thousands of openings would take a
    parser half a second.
    """
    if "](" in body and body.count("](") * max(map(len, body.split())) > MOST_TRIED:
        return False  # from each of these, a parser reads on to the next space
    return sum(map(body.count, "[*_~`<")) <= MOST_MARKS and body.count("//") <= MOST_LINKS


@cache
def _parser(*, is_ordinary: bool, has_address: bool) -> MarkdownIt:
    """Return the parser: it shows raw HTML as typed, keeps line breaks, and turns bare addresses
    into links. Looking for bare addresses takes most of the time of rendering, so texts without any
    skip it.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415

    parser = MarkdownIt(
        "js-default", {"html": False, "linkify": True, "breaks": True, "maxNesting": MAX_NESTING}
    )
    parser.disable(["image", "table", "heading", "lheading", "hr", "reference"])
    parser.normalizeLink = _href  # type: ignore[method-assign, assignment]
    shown_by_default = parser.normalizeLinkText
    # Not decoded: decoded letters could spell the name of another host that looks like this one.
    parser.normalizeLinkText = (  # type: ignore[method-assign]
        lambda link: link if "xn--" in link.lower() else shown_by_default(link)
    )
    parser.validateLink = bool  # type: ignore[method-assign, assignment]
    parser.core.ruler.push("without_unseen_links", _without_unseen_links)
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    if not is_ordinary:
        parser.disable(["link", "autolink", "emphasis", "strikethrough", "backticks"])
    return parser if is_ordinary and has_address else parser.disable("linkify")
